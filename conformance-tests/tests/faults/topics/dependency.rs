//! H22: shared dependencies.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use health_conformance::Preset;

use crate::fault::{checks, faults, results, setup, to};

faults! {
    /// The failure of a shared dependency counts like any other.
    SharedCounts: "dependency/fails-later" => checks(|check| check.shared = false);
    /// The failure of a shared dependency leaves the response OK from the start.
    SharedForgivenAtOnce: "dependency/never-ok" => checks(|check| check.optional = check.shared);
    /// With a shared dependency, no other failure counts.
    SharedHidesOthers: "dependency/another-fails" => checks(|check| check.shared = true);
    /// The record does not say that the dependency is shared, and for how long it has failed.
    SharedUntold: "dependency/fails-later" => results(|rows, _, _| {
        for row in rows {
            let own = row.message().split_once(": ").map(|(_, own)| own.to_owned());
            row.message = own;
        }
    });
    /// The second outage of a shared dependency counts.
    SharedForgivenOnce: "dependency/fails-again" => {
        let outages = AtomicUsize::new(0);
        to(move |answer, _, _| {
            if answer.state() == "DEGRADED" && outages.fetch_add(1, Relaxed) > 0 {
                answer.turn(503, "ERROR");
            }
        })
    };
    /// A failure of a shared dependency has no limit.
    SharedForgivenForever: "dependency/limit" => checks(|check| check.fail_after = None);
    /// A shared dependency is required, although it is optional.
    SharedBeatsOptional: "dependency/optional" =>
        checks(|check| check.optional &= !check.shared);
    /// An endpoint that alerts people does not fail.
    SharedAlertsNobody: "dependency/purposes" => setup(|setup| {
        let alerts = setup.endpoints.iter_mut().filter(|it| it.preset == Preset::Nagios);
        alerts.for_each(|endpoint| endpoint.preset = Preset::Consul);
    });
    /// An endpoint that steers traffic fails.
    SharedStopsTraffic: "dependency/purposes" => setup(|setup| {
        let steers = setup.endpoints.iter_mut().filter(|it| it.preset == Preset::Consul);
        steers.for_each(|endpoint| endpoint.preset = Preset::Nagios);
    });
}
