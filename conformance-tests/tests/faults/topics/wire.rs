//! H2: what pollers do with their connections.

use crate::fault::{Wire, faults, hang_up, keeps, page, to, wire};

faults! {
    /// HTTP/1.0 is refused.
    Http10Refused: "wire/http-1-0-closes" => page(505, |request| request.version == "HTTP/1.0");
    /// A method that may have a body needs a length in HTTP/1.0.
    Http10NeedsLength: "wire/http-1-0-without-length" => page(400, |request| {
        let may_have_body = ["POST", "PUT", "PATCH"].contains(&&*request.method);
        let has_length = request.header("content-length").is_some();
        request.version == "HTTP/1.0" && may_have_body && !has_length
    });
    /// The connection stays open despite `Connection: close`.
    CloseIgnored: "wire/close-is-honoured" => keeps(|request, _| !request.has_body());
    /// Every connection is closed behind its response.
    ConnectionNotKept: "wire/connection-is-kept" => keeps(|_, _| false);
    /// What was read beyond the first request is lost.
    PipelineDropped: "wire/pipelined" => wire(Wire::DropsPipeline);
    /// A request has to come in one piece.
    PiecesRefused: "wire/byte-by-byte" => wire(Wire::RefusesPieces);
    /// A client that has closed its sending side gets half a response.
    HalfAnswerToHalfClosed: "wire/half-closed" =>
        to(|answer, request, _| answer.is_cut = request.has_left());
    /// HTTP/1.1 without Host is dropped.
    HostDemanded: "wire/no-host" =>
        hang_up(|_, request, _| request.version == "HTTP/1.1" && request.header("host").is_none());
    /// Host has to be that of the server.
    HostChecked: "wire/odd-host" =>
        page(421, |request| !["localhost", ""].contains(&request.header("host").unwrap_or_default()));
    /// Some pollers get another response.
    PollersFiltered: "wire/user-agents" =>
        page(403, |request| request.header("user-agent").is_some_and(|agent| agent.contains("kube-probe")));
    /// No more than 64 connections at once.
    CrowdRefused: "wire/crowd" => wire(Wire::RefusesCrowds);
    /// One connection at a time.
    OneAtATime: "wire/plain-answer-overtakes-checks" => wire(Wire::OneAtATime);
    /// The server ends when a client leaves in the middle of its request.
    EndsWithHalfARequest: "wire/client-leaves-before-its-request-is-whole" =>
        wire(Wire::EndsWithHalfARequest);
    /// The server ends when a client does not read its response.
    EndsWithoutReader: "wire/client-leaves-before-the-answer" => wire(Wire::EndsWithoutReader);
}
