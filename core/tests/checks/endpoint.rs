//! Several endpoints that share the registered checks (H16).

use std::future::ready;
use std::time::Duration;

use futures::executor::block_on;
use health_core::{Body, Check, Endpoint, Health, Purpose, RunChecks, State};

use crate::virtual_time::Ask as _;
use crate::{builder, in_virtual_time, passing};

const SECOND: Duration = Duration::from_secs(1);

/// The status codes and bodies of an endpoint, by state.
fn answers(health: &Health, path: &str) -> Vec<(State, u16, Body)> {
    let endpoint = health.at(path).unwrap();
    let answers = endpoint.responses();
    answers.map(|(state, code, word)| (state, code.as_u16(), word)).collect()
}

#[test]
fn each_preset_responds_with_the_codes_of_its_poller() {
    use State::{Degraded, Draining, Failing, Maintenance, Ok, Starting};

    type Preset = fn(&'static str) -> Endpoint;
    let away = |code| {
        vec![
            (Starting, code, Body::Starting),
            (Maintenance, code, Body::Maintenance),
            (Draining, code, Body::Draining),
        ]
    };
    let degraded = (Degraded, 429, Body::Degraded);
    let as_ok = (Degraded, 200, Body::Ok);
    let as_pyramid = [Starting, Maintenance, Draining].map(|state| (state, 299, Body::Maintenance));
    let presets: [(Preset, _, Vec<_>); 9] = [
        (Endpoint::pyramid, as_ok, as_pyramid.into()),
        (Endpoint::strict, as_ok, away(503)),
        (Endpoint::liveness, as_ok, vec![]),
        (Endpoint::readiness, as_ok, away(503)),
        (Endpoint::startup, as_ok, vec![(Starting, 503, Body::Starting)]),
        (Endpoint::haproxy_404, as_ok, away(404)),
        (Endpoint::consul, degraded, away(503)),
        (Endpoint::nagios, degraded, away(429)),
        (Endpoint::envoy, as_ok, away(503)),
    ];
    for (number, (preset, degraded, rest)) in presets.into_iter().enumerate() {
        let health = Health::builder().endpoint(preset("/other")).build().unwrap();
        let mut expected = vec![(Ok, 200, Body::Ok), degraded, (Failing, 503, Body::Error)];
        expected.extend(rest);
        assert_eq!(answers(&health, "/other"), expected, "preset {number}");
    }
}

#[test]
fn the_endpoint_of_the_settings_comes_first_and_has_the_codes_of_the_settings() {
    let config = health_core::HealthConfig::from_pairs([
        ("healthcheck.url", "/status"),
        ("healthcheck.maintenance_code", "200"),
        ("healthcheck.failure_code", "200"),
    ]);
    let builder = Health::builder().config(config.unwrap());
    let health = builder.endpoint(Endpoint::strict("/up")).build().unwrap();
    let paths: Vec<_> = health.endpoints().map(|e| e.path().to_owned()).collect();
    assert_eq!(paths, ["/status", "/up"]);
    let codes: Vec<_> = answers(&health, "/status");
    assert!(codes.iter().all(|(_, code, _)| *code == 200), "{codes:?}");
    assert!(health.at("/health").is_none() && health.at("/up/").is_none());
}

/// The checks that an endpoint runs, read from its log record: all of them fail.
fn run_by(endpoint: Endpoint) -> Vec<String> {
    let failing = |name| Check::new(name, || ready(Err::<(), _>("no route")));
    let (health, time) = in_virtual_time(|builder| {
        builder
            .register(failing("database").tag("storage").tag("remote"))
            .register(failing("disk").tag("storage"))
            .register(failing("mail").tag("remote"))
            .endpoint(endpoint)
    });
    let results = time.ask_at(&health, "/other").results();
    results.into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn an_endpoint_runs_the_checks_it_chooses_in_the_order_of_their_registration() {
    let other = || Endpoint::strict("/other");
    assert_eq!(run_by(other()), ["database", "disk", "mail"]);
    assert_eq!(run_by(other().only_checks(["mail", "database"])), ["database", "mail"]);
    assert_eq!(run_by(other().tagged("storage")), ["database", "disk"]);
    assert_eq!(
        run_by(other().tagged("storage").only_checks(["mail"])),
        ["database", "disk", "mail"]
    );
    assert_eq!(run_by(other().no_checks()), [""; 0]);
    assert_eq!(run_by(other().all_checks()), ["database", "disk", "mail"]);
    assert_eq!(run_by(Endpoint::liveness("/other")), [""; 0]);
}

#[test]
fn each_preset_runs_its_checks_when_its_poller_needs_it() {
    type Preset = fn(&'static str) -> Endpoint;
    let presets: [(Preset, _); 9] = [
        (Endpoint::pyramid, [State::Ok, State::Failing]),
        (Endpoint::strict, [State::Ok, State::Failing]),
        (Endpoint::liveness, [State::Ok, State::Ok]),
        (Endpoint::readiness, [State::Failing; 2]),
        (Endpoint::startup, [State::Failing; 2]),
        (Endpoint::haproxy_404, [State::Ok, State::Failing]),
        (Endpoint::consul, [State::Failing; 2]),
        (Endpoint::nagios, [State::Failing; 2]),
        (Endpoint::envoy, [State::Failing; 2]),
    ];
    for (number, (preset, expected)) in presets.into_iter().enumerate() {
        let builder = builder().check("queue", || ready(Err::<(), _>("87 jobs")));
        let health = builder.endpoint(preset("/other")).build().unwrap();
        let endpoint = health.at("/other").unwrap();
        let states = ["", "checks=all"].map(|query| block_on(endpoint.respond(query)).state());
        assert_eq!(states, expected, "preset {number}");
    }
}

#[test]
fn an_endpoint_that_always_runs_its_checks_needs_no_query() {
    let builder = || builder().check("queue", || ready(Err::<(), _>("87 jobs")));
    let state = |endpoint: Endpoint| {
        let health = builder().endpoint(endpoint).build().unwrap();
        block_on(health.at("/other").unwrap().respond("")).state()
    };
    assert_eq!(state(Endpoint::readiness("/other")), State::Failing);
    assert_eq!(state(Endpoint::readiness("/other").run_checks(RunChecks::OnRequest)), State::Ok);
    assert_eq!(state(Endpoint::strict("/other")), State::Ok);
    assert_eq!(state(Endpoint::strict("/other").run_checks(RunChecks::Always)), State::Failing);
}

/// The headers of a response, without the four that every response has.
fn extras(health: &Health, path: &str) -> Vec<String> {
    let answer = block_on(health.at(path).unwrap().respond(""));
    let headers = answer.headers().skip(4);
    headers.map(|(name, value)| format!("{name}: {value}")).collect()
}

#[test]
fn a_maintenance_response_has_the_configured_retry_after() {
    let endpoint = |path: &str, time| Endpoint::strict(path.to_owned()).retry_after(time);
    let health = builder()
        .endpoint(endpoint("/two-minutes", 120 * SECOND))
        .endpoint(endpoint("/rounded", SECOND / 2))
        .endpoint(endpoint("/for-ever", Duration::MAX))
        .endpoint(Endpoint::strict("/silent"))
        .build()
        .unwrap();
    assert_eq!(extras(&health, "/two-minutes"), [""; 0]);
    health.maintenance_switch().turn_on();
    assert_eq!(extras(&health, "/two-minutes"), ["retry-after: 120"]);
    assert_eq!(extras(&health, "/rounded"), ["retry-after: 1"]);
    let for_ever = format!("retry-after: {}", u64::MAX);
    assert_eq!(extras(&health, "/for-ever"), [for_ever]);
    assert_eq!(extras(&health, "/silent"), [""; 0]);
    health.drain();
    assert_eq!(extras(&health, "/two-minutes"), [""; 0]);
}

#[test]
fn envoy_gets_a_header_to_eject_a_host_or_to_prefer_others() {
    let built = |check: Check| {
        let endpoint = Endpoint::envoy("/envoy").retry_after(SECOND);
        builder().register(check).endpoint(endpoint).build().unwrap()
    };
    let at_once = "x-envoy-immediate-health-check-fail: true";
    let health = built(passing("database"));
    assert_eq!(extras(&health, "/envoy"), [""; 0]);
    health.maintenance_switch().turn_on();
    assert_eq!(extras(&health, "/envoy"), [at_once, "retry-after: 1"]);
    health.drain();
    assert_eq!(extras(&health, "/envoy"), [at_once]);

    let failing = || Check::new("mail", || ready(Err::<(), _>("no route")));
    assert_eq!(extras(&built(failing()), "/envoy"), [""; 0]);
    let degraded = built(failing().optional());
    assert_eq!(extras(&degraded, "/envoy"), ["x-envoy-degraded: true"]);
}

#[test]
fn an_endpoint_knows_its_purpose_and_for_which_requests_it_runs_its_checks() {
    let health = builder()
        .endpoint(Endpoint::readiness("/ready"))
        .endpoint(Endpoint::nagios("/pager").run_checks(RunChecks::Never))
        .build()
        .unwrap();
    let known = |path| {
        let endpoint = health.at(path).unwrap();
        (endpoint.purpose(), endpoint.run_checks())
    };
    assert_eq!(known("/health"), (Purpose::SteersTraffic, RunChecks::OnRequest));
    assert_eq!(known("/ready"), (Purpose::SteersTraffic, RunChecks::Always));
    assert_eq!(known("/pager"), (Purpose::AlertsPeople, RunChecks::Never));
}

#[test]
fn an_endpoint_has_results_once_each_of_its_checks_has_run_whichever_endpoint_ran_it() {
    let health = builder()
        .register(passing("first"))
        .register(passing("second"))
        .endpoint(Endpoint::strict("/first").only_checks(["first"]))
        .endpoint(Endpoint::strict("/never").run_checks(RunChecks::Never))
        .endpoint(Endpoint::readiness("/none").no_checks())
        .build()
        .unwrap();
    let have = || {
        let paths = ["/health", "/first", "/never", "/none"];
        paths.map(|path| health.at(path).unwrap().has_results())
    };
    assert_eq!(have(), [false, false, true, true]);
    block_on(health.at("/first").unwrap().respond(""));
    assert_eq!(have(), [false, false, true, true]);
    block_on(health.at("/first").unwrap().respond("checks=all"));
    assert_eq!(have(), [false, true, true, true]);
    block_on(health.respond("checks=all"));
    assert_eq!(have(), [true, true, true, true]);
}
