//! H2: methods and bodies.

use crate::fault::{Wire, answer, faults, keeps, page, reads_body, request};

const USUAL: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

faults! {
    /// Only GET and HEAD get a response of the endpoint.
    GetOnly:
        "method/post",
        "target/absolute-form-of-every-method",
        "wire/http-1-0-every-method",
        "method/broken-json-body",
        "method/delete",
        "method/patch",
        "method/put" => page(405, |request| !["GET", "HEAD"].contains(&&*request.method));
    /// OPTIONS has another response.
    OptionsHasItsOwnAnswer: "method/options" => page(204, |request| request.method == "OPTIONS");
    /// TRACE echoes the request.
    TraceEchoes: "method/trace" => page(200, |request| request.method == "TRACE");
    /// An unusual method is refused.
    UnknownMethodsRefused:
        "method/unknown-token",
        "method/unknown-http-1-0",
        "method/unknown-in-maintenance",
        "method/unknown-lower-case",
        "method/unknown-propfind",
        "method/unknown-purge",
        "method/unknown-with-checks" => page(501, |request| !USUAL.contains(&&*request.method));
    /// CONNECT gets the same response as other methods.
    ConnectAnswered: "method/connect" => request(|request| {
        if request.method == "CONNECT" {
            "GET".clone_into(&mut request.method);
        }
    });
    /// HEAD has a body.
    HeadWithBody: "method/head" => answer(|answer| answer.sends_body = true);
    /// HEAD has the length of its own body: none.
    HeadWithLengthZero: "method/head" => answer(|answer| {
        if !answer.sends_body {
            answer.set("content-length", "0");
        }
    });
    /// HEAD has no Content-Length.
    HeadWithoutLength: "header/ok" => answer(|answer| {
        if !answer.sends_body {
            answer.unset("content-length");
        }
    });
    /// HEAD runs no checks.
    HeadRunsNoChecks: "method/head-runs-checks" => request(|request| {
        if request.method == "HEAD" {
            request.set_query("");
        }
    });
    /// A form in the body can ask for checks.
    FormIsRead: "method/form-body", "method/body-of-get", "method/method-in-form" =>
        reads_body(|request| request.header("content-type").is_some()).with_request(|request| {
        if request.body.contains("checks=") {
            request.set_query("checks=all");
        }
    });
    /// The response waits for the body.
    BodyIsAwaited: "method/withheld-body" =>
        reads_body(|request| request.header("expect").is_none());
    /// 100 Continue is sent, and the body waited for.
    ContinueAndWait: "wire/expect-continue" =>
        reads_body(|request| request.header("expect").is_some());
    /// An unread body is parsed as the next request.
    BodyTakenForRequest: "wire/unread-body" =>
        keeps(|request, keeps| keeps || (request.has_body() && !request.is_chunked()));
    /// An unread chunked body is parsed as the next request.
    ChunksTakenForRequest: "wire/unread-chunked-body" =>
        keeps(|request, keeps| keeps || request.is_chunked()).with_wire(Wire::SkipsChunkSize);
}
