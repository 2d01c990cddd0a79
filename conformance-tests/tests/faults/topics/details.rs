//! H29 to H32: details, tokens, formats and check paths.

use health_conformance::Command;

use crate::correct::Answer;
use crate::fault::{Decoration, Twin, command, exchange, faults, request, setup, to};
use crate::http::Request;
use crate::topics::header::detail;

faults! {
    /// A client that accepts anything gets JSON.
    JsonForAnything: "details/accept" => request(|request| {
        request.edit_header("accept", |value| value.replace("*/*", "application/json"));
    });
    /// `Accept` is ignored.
    AcceptIgnored: "details/accept-json" => request(|request| request.keep_lines("accept", 0));
    /// Of several lines of `Accept`, the first counts.
    FirstLineOfAccept: "details/accept-lines" =>
        request(|request| request.keep_lines("accept", 1));
    /// `format` is ignored.
    FormatIgnored: "details/format" => request(|request| {
        request.target = request.target.replace("format=", "other=");
    });
    /// The page has the type of plain text.
    PageIsText: "details/every-format" => to(|answer, _, _| {
        if answer.headers.iter().any(|(_, value)| value.starts_with("text/html")) {
            answer.set("content-type", "text/plain; charset=utf-8");
        }
    });
    /// A browser gets the word.
    BrowserGetsWord: "details/accept-every-format" => request(|request| {
        request.edit_header("accept", |value| {
            if value.contains("text/html,") { "*/*".to_owned() } else { value.to_owned() }
        });
    });
    /// For Spring Boot Admin, a host in maintenance is up.
    MaintenanceIsUp: "details/every-state-in-every-format" => to(|answer, _, _| {
        if answer.body.contains("OUT_OF_SERVICE") {
            answer.set_body(&answer.body.replace("OUT_OF_SERVICE", "UP"));
        }
    });
    /// The response to HEAD has the length of the word.
    HeadWithTheLengthOfTheWord: "details/every-method" => shown(|answer, _| {
        if !answer.sends_body {
            answer.set("content-length", "5");
        }
    });
    /// Messages are shown to everybody.
    MessagesForAll: "details/levels" => setup(|setup| {
        for endpoint in setup.endpoints.iter_mut().filter(|it| it.path == "/states") {
            endpoint.details = endpoint.details.map(|_| health_conformance::DetailLevel::Full);
        }
    });
    /// Details are always 200.
    DetailsAreOk: "details/states" => shown(|answer, _| answer.status = 200);
    /// The errors of latches are shown to everybody.
    LatchErrorsForAll: "details/failed-latch" => shown(|answer, _| {
        if answer.body.contains("migrations") {
            let body = answer.body.replace("migrations", "no table stocks at 10.0.0.7");
            answer.set_body(&body);
        }
    });
    /// What a panic says is shown to everybody.
    PanicForAll: "details/panic" => to(|answer, request, correct| {
        if is_json(answer) && request.path() == "/states" {
            let body = answer.body.replace("\"panicked\"", &format!("{:?}", detail(correct)));
            answer.set_body(&body);
        }
    });
    /// Details run the checks.
    DetailsRunChecks: "details/on-request" => request(|request| {
        if request.target.contains("format=json") {
            request.target += "&checks=all";
        }
    });
    /// No response varies.
    DetailsWithoutVary: "details/accept-raw-bytes", "details/accept*" =>
        to(|answer, _, _| answer.unset("vary"));
    /// Only the first token is valid.
    OneToken: "token/valid" => setup(|setup| {
        setup.endpoints.iter_mut().for_each(|endpoint| endpoint.tokens.truncate(1));
    });
    /// A token that is not valid is an error.
    WrongTokenIsAnError: "token/invalid" => to(|answer, request, _| {
        if request.header("authorization").is_some() && !is_json(answer) {
            answer.turn(401, "ERROR");
        }
    });
    /// Of two lines of `Authorization`, the last counts.
    LastLineOfAuthorization: "token/two-lines" => request(|request| {
        request.keep_last("authorization");
    });
    /// Tokens stay as they are.
    TokensStay: "token/replaced" => command(|told, correct| {
        if !matches!(told, Command::Tokens(..)) {
            correct.apply(told);
        }
    });
    /// At its path, an optional check counts as optional.
    OptionalAtItsPath: "check-path/alone" => to(|answer, request, _| {
        if request.path().ends_with("/mail") {
            answer.turn(200, "OK");
        }
    });
    /// Check paths are not escaped.
    CheckPathsUnescaped: "check-path/escaped" => not_found(|path| path.contains('~'));
    /// Whatever is below an endpoint is a check.
    EverythingIsACheck: "check-path/other-paths" => request(|request| {
        if request.path() == "/ready/none" {
            request.target = "/ready/database".to_owned();
        }
    });
    /// Check paths ignore the states of the endpoint.
    CheckPathsShowNoState: "check-path/states" => {
        let twin = Twin::new(|setup| setup.settings.clear());
        exchange(move |request, correct| {
            let is_of_check = request.path().starts_with("/ready/");
            Ok(if is_of_check { twin.of(correct).answer(request) } else { correct.answer(request) })
        })
    };
}

fn is_json(answer: &Answer) -> bool {
    answer.headers.iter().any(|(_, value)| value == "application/json")
}

/// Details are changed.
fn shown(edit: fn(&mut Answer, &Request)) -> Decoration {
    to(move |answer, request, _| {
        if is_json(answer) {
            edit(answer, request);
        }
    })
}

/// No endpoint has these paths.
fn not_found(is_unknown: fn(&str) -> bool) -> Decoration {
    request(move |request| {
        if is_unknown(request.path()) {
            request.target = "/unknown".to_owned();
        }
    })
}
