//! H9 and H10: headers and reason phrase.

use crate::correct::{Answer, Correct};
use crate::fault::{Decoration, answer, faults, page, to};

faults! {
    /// HEAD may be kept by caches.
    HeadWithoutNoStore: "header/ok" => answer(|answer| {
        if !answer.sends_body {
            answer.unset("cache-control");
        }
    });
    /// Maintenance may be kept by caches.
    MaintenanceWithoutNoStore: "header/maintenance" =>
        of("MAINTENANCE", |answer| answer.unset("cache-control"));
    /// Errors may be sniffed.
    ErrorWithoutNosniff: "header/error" =>
        of("ERROR", |answer| answer.unset("x-content-type-options"));
    /// Errors spell their charset in capitals.
    CharsetInCapitals: "header/error" =>
        of("ERROR", |answer| answer.set("content-type", "text/plain; charset=UTF-8"));
    /// Errors come in chunks.
    ErrorInChunks: "header/error" => of("ERROR", |answer| {
        answer.set_body(&format!("{:x}\r\n{}\r\n0\r\n\r\n", answer.body.len(), answer.body));
        answer.unset("content-length");
        answer.set("transfer-encoding", "chunked");
    });
    /// Messages stand in the body.
    DetailInBody: "verdict/error" =>
        tells(|answer, detail| answer.set_body(&format!("ERROR: {detail}")));
    /// Messages stand in a header.
    DetailInHeader: "header/error" => tells(|answer, detail| answer.set("x-error", detail));
    /// Messages stand in the reason phrase.
    DetailInReason: "header/no-injection" =>
        tells(|answer, detail| detail.clone_into(&mut answer.reason));
    /// Conditional requests get 304.
    ConditionsHonoured: "header/no-negotiation" => page(304, |request| {
        request.header("if-none-match").or(request.header("if-modified-since")).is_some()
    });
    /// No response has a reason phrase.
    NoReason: "reason/ok" => answer(|answer| answer.reason.clear());
    /// An error's reason phrase is its body.
    ErrorIsTheReason: "reason/error" =>
        of("ERROR", |answer| answer.reason.clone_from(&answer.body));
    /// The reason phrase of maintenance is always the word.
    MaintenanceIsTheReason: "reason/canonical-maintenance" =>
        of("MAINTENANCE", |answer| answer.reason.clone_from(&answer.body));
    /// Young codes have no reason phrase.
    YoungCodesUnknown: "reason/young-code" => answer(|answer| {
        if answer.status == 425 {
            answer.reason.clear();
        }
    });
    /// A maintenance code without a canonical reason has no reason.
    OddMaintenanceWithoutReason: "reason/odd-maintenance" => of("MAINTENANCE", without_own_reason);
    /// A failure code without a canonical reason has no reason.
    OddErrorWithoutReason: "reason/odd-error" => of("ERROR", without_own_reason);
}

/// Answers of this body are changed.
fn of(word: &'static str, edit: fn(&mut Answer)) -> Decoration {
    answer(move |answer| {
        if answer.is(word) {
            edit(answer);
        }
    })
}

fn without_own_reason(answer: &mut Answer) {
    if answer.reason == answer.body {
        answer.reason.clear();
    }
}

/// Errors tell the messages of the checks.
fn tells(tell: fn(&mut Answer, &str)) -> Decoration {
    to(move |answer, _, correct| {
        if answer.is("ERROR") {
            tell(answer, &detail(correct));
        }
    })
}

/// The messages of the checks, in a line.
pub(crate) fn detail(correct: &Correct) -> String {
    let messages = correct.setup.checks.iter().filter_map(|check| check.message.as_deref());
    messages.collect::<Vec<_>>().join(" ").replace(['\r', '\n', '\0'], " ")
}
