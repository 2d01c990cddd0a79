//! H16: endpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use health_conformance::{Endpoint, Preset, RunChecks, Setup};

use crate::correct::{Answer, Correct};
use crate::fault::{Crowd, Decoration, Ending, Memory, Twin, exchange, faults, results, setup, to};
use crate::http::Request;

faults! {
    /// There is no endpoint but the first.
    FurtherEndpointsMissing: "endpoint/no-checks" => setup(|setup| setup.endpoints.clear());
    /// Every path that starts with the path of an additional endpoint gets its response.
    FurtherPathIsAPrefix: "endpoint/paths-are-exact" => exchange(|request, correct| {
        let mut request = request.clone();
        let mut paths = correct.setup.endpoints.iter().map(|endpoint| &endpoint.path);
        if let Some(path) = paths.find(|path| request.path().starts_with(path.as_str())) {
            request.set_path(path);
        }
        Ok(correct.answer(&request))
    });
    /// The path of a further endpoint loses a slash at its end.
    FurtherPathIsTrimmed: "endpoint/odd-paths" => endpoints(|endpoint, _| {
        let path = endpoint.path.trim_end_matches('/');
        endpoint.path = if path.is_empty() { "/" } else { path }.to_owned();
    });
    /// The codes that are set are those of all endpoints.
    CodesOfTheFirstEverywhere: "endpoint/codes-are-of-the-first" => further(|answer, _, correct| {
        let key = if answer.is("ERROR") { "failure_code" } else { "maintenance_code" };
        let code = correct.setting(key).and_then(|code| code.parse().ok());
        if answer.status != 200 {
            answer.status = code.unwrap_or(answer.status);
        }
    });
    /// If there are other endpoints, the first responds 503 in maintenance.
    FirstIsStrictBesideOthers: "endpoint/first-is-unchanged" => to(|answer, request, correct| {
        let is_first = request.path() == correct.url() && !correct.setup.endpoints.is_empty();
        if is_first && answer.is("MAINTENANCE") {
            answer.status = 503;
        }
    });
    /// Additional endpoints respond to GET only.
    FurtherGetOnly: "endpoint/methods" => to(|answer, request, correct| {
        if correct.further(request).is_some() && request.method != "GET" {
            *answer = Answer::page(405, "Method Not Allowed");
        }
    });
    /// Further endpoints run every check.
    FurtherRunAllChecks: "endpoint/checks-by-name" =>
        endpoints(|endpoint, all| endpoint.checks = Some(all.to_vec()));
    /// Results stand in the order in which an endpoint names its checks.
    NamesGiveTheOrder: "endpoint/checks-by-name" => results(|rows, request, correct| {
        let names = correct.further(request).and_then(|endpoint| endpoint.checks.as_ref());
        if let Some(names) = names {
            rows.sort_by_key(|row| names.iter().position(|name| Some(name) == row.name.as_ref()));
        }
    });
    /// A tag chooses nothing.
    TagsIgnored: "endpoint/checks-by-tag" => endpoints(|endpoint, _| {
        endpoint.tags.clear();
        endpoint.checks.get_or_insert_default();
    });
    /// Only the first of several tags counts.
    FirstTagCounts: "endpoint/checks-by-several-tags" =>
        endpoints(|endpoint, _| endpoint.tags.truncate(1));
    /// An endpoint that is given no check runs all.
    NoCheckIsEvery: "endpoint/no-checks" => endpoints(|endpoint, all| {
        if endpoint.checks.as_ref().is_some_and(Vec::is_empty) {
            endpoint.checks = Some(all.to_vec());
        }
    });
    /// An endpoint that always runs its checks runs them only for `checks=all`.
    AlwaysNeedsAQuery: "endpoint/checks-always", "state/maintenance-over-failing" =>
        endpoints(|endpoint, _| endpoint.run_checks = Some(RunChecks::OnRequest));
    /// A query can forbid what always runs.
    QueryForbids: "endpoint/checks-always" => {
        let asked = Twin::new(|setup| {
            for endpoint in &mut setup.endpoints {
                endpoint.run_checks = Some(RunChecks::OnRequest);
            }
        });
        exchange(move |request, correct| if request.query().contains("checks=") { Ok(asked.of(correct).answer(request)) } else { Ok(correct.answer(request)) })
    };
    /// An endpoint that runs its checks on request always does.
    RequestIsAlways: "endpoint/checks-on-request" =>
        endpoints(|endpoint, _| endpoint.run_checks = Some(RunChecks::Always));
    /// An endpoint that never runs its checks runs them for `checks=all`.
    NeverIsOnRequest: "endpoint/checks-never" => endpoints(|endpoint, _| {
        if endpoint.run_checks == Some(RunChecks::Never) {
            endpoint.run_checks = Some(RunChecks::OnRequest);
        }
    });
    /// There is no Retry-After.
    RetryAfterMissing: "endpoint/retry-after" =>
        endpoints(|endpoint, _| endpoint.retry_after = None);
    /// Retry-After comes with every response.
    RetryAfterAlways: "endpoint/retry-after" =>
        further(|answer, endpoint, _| retry_later(answer, endpoint));
    /// Retry-After comes with a drain, too.
    RetryAfterInDrain: "endpoint/retry-after" => further(|answer, endpoint, _| {
        if answer.state() == "DRAINING" {
            retry_later(answer, endpoint);
        }
    });
    /// There are no headers of Envoy's.
    EnvoyHeadersMissing: "endpoint/envoy" => further(|answer, _, _| {
        answer.unset(ENVOY_DEGRADED);
        answer.unset(ENVOY_FAIL);
    });
    /// Headers of Envoy's come with other presets, too.
    EnvoyHeadersEverywhere: "endpoint/consul" => further(|answer, _, _| match answer.state() {
        "DEGRADED" => answer.set(ENVOY_DEGRADED, "true"),
        "MAINTENANCE" | "DRAINING" => answer.set(ENVOY_FAIL, "true"),
        _ => {}
    });
    /// `x-envoy-degraded` is sent when nothing fails.
    EnvoyIsAlwaysDegraded: "endpoint/envoy" => of(Preset::Envoy, |answer| {
        if answer.is("OK") {
            answer.set(ENVOY_DEGRADED, "true");
        }
    });
    /// A start-up fails at once with Envoy.
    EnvoyStartFailsAtOnce: "endpoint/envoy" => of(Preset::Envoy, |answer| {
        if answer.state() == "STARTING" {
            answer.set(ENVOY_FAIL, "true");
        }
    });
    /// At further endpoints, the reason phrase is the body's word.
    FurtherWordIsTheReason: "endpoint/reason" =>
        further(|answer, _, _| answer.reason.clone_from(&answer.body));
    /// A check that another endpoint waits for is one that is still running.
    OverlapFails: "endpoint/shared-checks" => {
        let crowd = Crowd::default();
        exchange(move |request, correct| {
            let (mut answer, has_joined) = crowd.answer(request, correct);
            if has_joined {
                answer.turn(503, "ERROR");
            }
            Ok(answer)
        })
    };
    /// A check that another endpoint waits for is started once more.
    OverlapRunsTwice: "endpoint/shared-checks" => apart();
    /// At further endpoints each request has its own run.
    FurtherRunAlone: "endpoint/crowd" => exchange(|request, correct| match correct.further(request) {
        Some(_) => Ok(correct.with_setup(|_| {}).answer(request)),
        None => Ok(correct.answer(request)),
    });
    /// At further endpoints, checks in the background run for each request.
    FurtherRunBackground: "endpoint/background" => {
        let asked = Twin::new(|setup| setup.checks.iter_mut().for_each(|check| check.every = None));
        exchange(move |request, correct| match correct.further(request) {
            Some(_) => Ok(asked.of(correct).answer(request)),
            None => Ok(correct.answer(request)),
        })
    };
    /// Each choice of checks counts its failures apart.
    FailuresCountApart: "endpoint/thresholds" => apart();
    /// All requests of a connection go to the first endpoint.
    EndpointOfTheConnection: "endpoint/on-one-connection" => {
        let first = Memory::<BTreeMap<usize, String>>::default();
        exchange(move |request, correct| {
            let mut request = request.clone();
            let mut first = first.lock();
            let first = first.entry(request.connection).or_insert(request.target);
            request.target = first.clone();
            Ok(correct.answer(&request))
        })
    };
    /// A pyramid at another path is strict.
    FurtherPyramidIsStrict: "endpoint/pyramid" => endpoints(|endpoint, _| {
        if endpoint.preset == Preset::Pyramid {
            endpoint.preset = Preset::Strict;
        }
    });
    /// A strict endpoint responds 299.
    StrictSays299: "endpoint/strict" => of(Preset::Strict, |answer| {
        if answer.is("MAINTENANCE") {
            answer.status = 299;
        }
    });
    /// Whatever keeps a host out is called MAINTENANCE.
    EveryWordIsMaintenance: "endpoint/readiness" => further(|answer, _, _| {
        if answer.is("STARTING") || answer.is("DRAINING") {
            answer.set_body("MAINTENANCE");
        }
    });
    /// For HAProxy an error is a 404, too.
    HaproxyError404: "endpoint/haproxy-404" => of(Preset::Haproxy404, |answer| {
        if answer.is("ERROR") {
            answer.status = 404;
        }
    });
    /// Consul is not warned of what is degraded.
    ConsulDegradedIsOk: "endpoint/consul" => of(Preset::Consul, |answer| {
        if answer.is("DEGRADED") {
            answer.status = 200;
            answer.set_body("OK");
        }
    });
    /// Nagios is alarmed by maintenance.
    NagiosIsCriticalInMaintenance: "endpoint/nagios" => of(Preset::Nagios, |answer| {
        if answer.is("MAINTENANCE") {
            answer.status = 503;
        }
    });
    /// Liveness runs every check.
    LivenessRunsDependencies: "endpoint/liveness" => endpoints(|endpoint, all| {
        if endpoint.preset == Preset::Liveness && endpoint.tags.is_empty() {
            endpoint.checks.get_or_insert_with(|| all.to_vec());
        }
    });
    /// Liveness never fails.
    LivenessNeverFails: "endpoint/liveness-own-check" => of(Preset::Liveness, |answer| {
        if answer.is("ERROR") {
            answer.turn_ok();
        }
    });
    /// Liveness shows maintenance.
    LivenessInMaintenance: "endpoint/liveness" => shows(Preset::Liveness, "MAINTENANCE");
    /// Liveness shows the start-up.
    LivenessStarts: "startup/forgotten" => shows(Preset::Liveness, "STARTING");
    /// Liveness shows the drain.
    LivenessDrains: "drain/liveness-stays" => shows(Preset::Liveness, "DRAINING");
    /// A startup endpoint shows maintenance.
    StartupInMaintenance: "endpoint/startup" => shows(Preset::Startup, "MAINTENANCE");
    /// A startup endpoint shows the drain.
    StartupDrains: "endpoint/startup" => shows(Preset::Startup, "DRAINING");
}

const ENVOY_DEGRADED: &str = "x-envoy-degraded";
const ENVOY_FAIL: &str = "x-envoy-immediate-health-check-fail";

/// Endpoints are described otherwise; `edit` gets the names of all checks, too.
fn endpoints(edit: fn(&mut Endpoint, &[String])) -> Decoration {
    setup(move |setup| {
        let Setup { checks, endpoints, .. } = setup;
        let names: Vec<String> = checks.iter().map(|check| check.name.clone()).collect();
        endpoints.iter_mut().for_each(|endpoint| edit(endpoint, &names));
    })
}

/// Answers of endpoints other than the first are changed.
fn further(edit: fn(&mut Answer, &Endpoint, &Correct)) -> Decoration {
    to(move |answer, request, correct| {
        if let Some(endpoint) = correct.further(request) {
            edit(answer, endpoint, correct);
        }
    })
}

/// Answers of endpoints of a preset are changed.
fn of(preset: Preset, edit: fn(&mut Answer)) -> Decoration {
    to(move |answer, request, correct| {
        if correct.further(request).is_some_and(|endpoint| endpoint.preset == preset) {
            edit(answer);
        }
    })
}

fn retry_later(answer: &mut Answer, endpoint: &Endpoint) {
    if let Some(seconds) = endpoint.retry_after {
        answer.set("retry-after", &seconds.to_string());
    }
}

/// The state of the first endpoint for a plain request.
pub(crate) fn first_state(request: &Request, correct: &Correct) -> String {
    let mut plain = request.clone();
    correct.url().clone_into(&mut plain.target);
    correct.answer(&plain).state().to_owned()
}

/// Endpoints of a preset show a state that they should ignore.
pub(crate) fn shows(preset: Preset, state: &'static str) -> Decoration {
    to(move |answer, request, correct| {
        let is_of = correct.further(request).is_some_and(|endpoint| endpoint.preset == preset);
        if is_of && first_state(request, correct) == state {
            answer.turn(503, state);
            answer.log("INFO", format!("Health response: {state}"));
        }
    })
}

/// Each endpoint has its own checks. Those of the second endpoint begin with their second execution.
fn apart() -> Decoration {
    let all = Memory::<BTreeMap<String, Arc<Correct>>>::default();
    exchange(move |request, correct| {
        let own = {
            let mut all = all.lock();
            let edit = if all.is_empty() { |_: &mut Setup| {} } else { begin_later };
            let own = all.entry(request.path().to_owned());
            own.or_insert_with(|| Arc::new(correct.with_setup(edit))).clone()
        };
        Ok::<_, Ending>(own.answer(request))
    })
}

fn begin_later(setup: &mut Setup) {
    for check in setup.checks.iter_mut().filter(|check| !check.then.is_empty()) {
        let later = check.execution(1);
        (check.status, check.message) = (later.status, later.message);
        check.behaviour = later.behaviour;
    }
}
