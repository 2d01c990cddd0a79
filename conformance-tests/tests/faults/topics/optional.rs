//! H13: optional checks.

use health_conformance::{Behaviour, Check};

use super::header::detail;
use crate::fault::{
    Decoration, faults, level, no_disablefile, other_wins, records, results, setup, to,
};

faults! {
    /// No check is optional.
    OptionalFailsAnswer: "optional/fails" => counts(|_| true);
    /// A degraded response is not logged.
    DegradedNotLogged: "optional/fails" =>
        records(|records| records.retain(|record| record.state() != Some("DEGRADED")));
    /// A degraded response is logged at ERROR.
    DegradedAtError: "optional/fails" => level("DEGRADED", "ERROR");
    /// A degraded response is logged at INFO.
    DegradedAtInfo: "optional/fails" => level("DEGRADED", "INFO");
    /// Messages stand in a header of a degraded response.
    DegradedInHeader: "optional/fails" => to(|answer, _, correct| {
        if answer.state() == "DEGRADED" {
            answer.set("x-degraded", &detail(correct));
        }
    });
    /// With the failure of an optional check, no other counts.
    OptionalHidesOthers: "optional/and-another" => failing_optional_hides_others();
    /// An error is logged without the results of optional checks.
    OptionalLeftOut: "optional/and-another" => results(|rows, _, correct| {
        let is_optional = |name: &str| {
            let mut checks = correct.setup.checks.iter();
            checks.any(|check| check.optional && check.name == name)
        };
        rows.retain(|row| !row.name.as_deref().is_some_and(is_optional));
    });
    /// Optional checks are logged when they pass, too.
    OptionalAlwaysTold: "optional/passes" => to(|answer, request, correct| {
        if request.asks() && answer.state() == "OK" && correct.setup.checks.iter().any(|check| check.optional) {
            answer.log("WARN", "Health response: DEGRADED ([])");
        }
    });
    /// A timeout that has expired always makes an error.
    OptionalTimeoutCounts: "optional/hangs" =>
        counts(|check| matches!(check.behaviour, Behaviour::Hang | Behaviour::Slow(_)));
    /// Endpoints do not regard a check as optional.
    OptionalPerEndpointIgnored: "optional/per-endpoint" =>
        setup(|setup| setup.endpoints.iter_mut().for_each(|endpoint| endpoint.optional.clear()));
    /// Endpoints do not regard a check as required.
    RequiredPerEndpointIgnored: "optional/per-endpoint" =>
        setup(|setup| setup.endpoints.iter_mut().for_each(|endpoint| endpoint.required.clear()));
    /// A panic always makes an error.
    OptionalPanicCounts: "optional/panics" =>
        counts(|check| matches!(check.behaviour, Behaviour::Panic(_)));
    /// Degraded responses to HEAD are not logged.
    DegradedHeadNotLogged: "optional/head" => to(|answer, request, _| {
        if request.method == "HEAD" {
            answer.records.clear();
        }
    });
    /// A degraded response beats maintenance.
    DegradedInMaintenance: "optional/in-maintenance" =>
        other_wins(no_disablefile, |_| false, ("MAINTENANCE", "DEGRADED"));
}

/// Such checks are not optional.
fn counts(counts: fn(&Check) -> bool) -> Decoration {
    setup(move |setup| {
        for check in &mut setup.checks {
            check.optional &= !counts(check);
        }
    })
}

/// Where an optional check fails, every check is optional.
pub(crate) fn failing_optional_hides_others() -> Decoration {
    setup(|setup| {
        let mut checks = setup.checks.iter();
        if checks.any(|check| check.optional && check.status != "OK") {
            setup.checks.iter_mut().for_each(|check| check.optional = true);
        }
    })
}
