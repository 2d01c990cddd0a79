//! Many endpoints, one registry of checks (H16).

use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::executor::block_on;
use health_core::{
    BuildError, Check, ConfigRule, Endpoint, Health, HealthBuilder, Runtime as _, StartupLatch,
    State, Word,
};

use crate::virtual_time::VirtualTime;
use crate::{builder, in_virtual_time, result};

const SECOND: Duration = Duration::from_secs(1);

fn passing(name: &str) -> Check {
    Check::new(name, || ready(Ok::<(), String>(())))
}

/// The codes and words of an endpoint, by state.
fn answers(health: &Health, path: &str) -> Vec<(State, u16, Word)> {
    let endpoint = health.at(path).unwrap();
    let answers = endpoint.answers();
    answers
        .map(|(state, code, word)| (state, code.as_u16(), word))
        .collect()
}

#[test]
fn each_preset_says_what_its_poller_understands() {
    use State::{Degraded, Draining, Failing, Maintenance, Ok, Starting};

    type Preset = fn(&'static str) -> Endpoint;
    let away = |code| {
        vec![
            (Starting, code, Word::Starting),
            (Maintenance, code, Word::Maintenance),
            (Draining, code, Word::Draining),
        ]
    };
    let degraded = (Degraded, 429, Word::Degraded);
    let as_ok = (Degraded, 200, Word::Ok);
    let as_pyramid = [Starting, Maintenance, Draining].map(|state| (state, 299, Word::Maintenance));
    let presets: [(Preset, _, Vec<_>); 9] = [
        (Endpoint::pyramid, as_ok, as_pyramid.into()),
        (Endpoint::strict, as_ok, away(503)),
        (Endpoint::liveness, as_ok, vec![]),
        (Endpoint::readiness, as_ok, away(503)),
        (
            Endpoint::startup,
            as_ok,
            vec![(Starting, 503, Word::Starting)],
        ),
        (Endpoint::haproxy_404, as_ok, away(404)),
        (Endpoint::consul, degraded, away(503)),
        (Endpoint::nagios, degraded, away(429)),
        (Endpoint::envoy, as_ok, away(503)),
    ];
    for (number, (preset, degraded, rest)) in presets.into_iter().enumerate() {
        let health = Health::builder()
            .endpoint(preset("/other"))
            .build()
            .unwrap();
        let mut expected = vec![(Ok, 200, Word::Ok), degraded, (Failing, 503, Word::Error)];
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

/// Which checks an endpoint runs, by what it logs: all fail.
fn run_by(endpoint: Endpoint) -> Vec<String> {
    let failing = |name| Check::new(name, || ready(Err::<(), _>("no route")));
    let (health, time) = in_virtual_time(|builder| {
        builder
            .add(failing("database").tag("storage").tag("remote"))
            .add(failing("disk").tag("storage"))
            .add(failing("mail").tag("remote"))
            .endpoint(endpoint)
    });
    let results = time.ask_at(&health, "/other").results();
    results.into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn an_endpoint_runs_the_checks_it_chooses_in_the_order_of_their_registration() {
    let other = || Endpoint::strict("/other");
    assert_eq!(run_by(other()), ["database", "disk", "mail"]);
    assert_eq!(
        run_by(other().only_checks(["mail", "database"])),
        ["database", "mail"]
    );
    assert_eq!(run_by(other().tagged("storage")), ["database", "disk"]);
    assert_eq!(
        run_by(other().tagged("storage").only_checks(["mail"])),
        ["database", "disk", "mail"]
    );
    assert_eq!(run_by(other().no_checks()), [""; 0]);
    assert_eq!(
        run_by(other().tagged("storage").all_checks()),
        ["database", "disk", "mail"]
    );
    assert_eq!(run_by(Endpoint::liveness("/other")), [""; 0]);
}

#[test]
fn an_endpoint_that_always_runs_its_checks_needs_no_query() {
    let builder = || builder().check("queue", || ready(Err::<(), _>("87 jobs")));
    let state = |endpoint: Endpoint| {
        let health = builder().endpoint(endpoint).build().unwrap();
        block_on(health.at("/other").unwrap().respond("")).state()
    };
    assert_eq!(state(Endpoint::readiness("/other")), State::Failing);
    assert_eq!(state(Endpoint::readiness("/other").on_request()), State::Ok);
    assert_eq!(state(Endpoint::strict("/other")), State::Ok);
    assert_eq!(state(Endpoint::strict("/other").always()), State::Failing);
}

/// A check that takes a second, and how often it was executed.
fn slow(time: &VirtualTime, name: &str) -> (Check, Arc<AtomicUsize>) {
    let executions = Arc::new(AtomicUsize::new(0));
    let (clock, counted) = (time.clone(), executions.clone());
    let check = Check::new(name, move || {
        let execution = counted.fetch_add(1, Ordering::SeqCst) + 1;
        let sleep = clock.sleep_until(clock.now() + SECOND);
        async move {
            sleep.await;
            Err::<(), _>(format!("execution {execution}"))
        }
    });
    (check, executions)
}

#[test]
fn endpoints_whose_checks_overlap_share_an_execution_and_wait_for_no_other_check() {
    let time = VirtualTime::default();
    let (shared, executions) = slow(&time, "shared");
    let hangs = Check::new("hangs", pending::<Result<(), String>>);
    let health = builder()
        .runtime(time.clone())
        .add(shared)
        .add(hangs)
        .endpoint(Endpoint::readiness("/ready").only_checks(["shared"]))
        .build()
        .unwrap();
    let all = time.ask(&health);
    time.pass(SECOND / 2);
    let ready = time.ask_at(&health, "/ready");
    time.pass(SECOND / 2);
    let of_the_first = || result("shared", "ERROR", Some("execution 1"));
    assert_eq!(ready.results(), [of_the_first()]);
    assert!(!all.is_answered());
    assert_eq!(executions.load(Ordering::SeqCst), 1);

    time.pass(4 * SECOND);
    let timed_out = result("hangs", "ERROR", Some("timed out after 5s"));
    assert_eq!(all.results(), [of_the_first(), timed_out]);

    // Nothing is left in hand: who asks now has an execution of its own.
    let next = time.ask_at(&health, "/ready");
    time.pass(SECOND);
    let own = result("shared", "ERROR", Some("execution 2"));
    assert_eq!(next.results(), [own]);
}

#[test]
fn an_execution_that_two_endpoints_share_counts_once() {
    let time = VirtualTime::default();
    let (check, _) = slow(&time, "counted");
    let fails = Mutex::new([true, false, false].into_iter());
    let recovers = Check::new("recovers", {
        let clock = time.clone();
        move || {
            let passes = fails.lock().unwrap().next().unwrap_or_default();
            let sleep = clock.sleep_until(clock.now() + SECOND);
            async move {
                sleep.await;
                if passes { Ok(()) } else { Err("no route") }
            }
        }
    });
    let health = builder()
        .runtime(time.clone())
        .add(recovers.failures(3))
        .add(check)
        .endpoint(Endpoint::readiness("/ready").only_checks(["recovers"]))
        .build()
        .unwrap();
    for message in [
        None,
        Some("1 of 3 failures: no route"),
        Some("2 of 3 failures: no route"),
    ] {
        let both = [time.ask(&health), time.ask_at(&health, "/ready")];
        time.pass(SECOND);
        let [all, ready] = both;
        let counted = result("recovers", "OK", message);
        assert_eq!(all.results()[0], counted);
        assert_eq!(ready.response().state(), State::Ok);
    }
}

#[test]
fn a_run_that_everybody_left_still_gives_its_execution_to_another_endpoint() {
    let time = VirtualTime::default();
    let (shared, executions) = slow(&time, "shared");
    let builder = builder()
        .runtime(time.clone())
        .add(shared)
        .add(passing("quick"));
    let health = builder
        .endpoint(Endpoint::readiness("/ready").only_checks(["shared"]))
        .build()
        .unwrap();
    time.ask(&health).leave();
    let ready = time.ask_at(&health, "/ready");
    time.pass(SECOND);
    let first = result("shared", "ERROR", Some("execution 1"));
    assert_eq!(ready.results(), [first]);
    assert_eq!(executions.load(Ordering::SeqCst), 1);
}

fn refusal(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> BuildError {
    let builder = builder().add(passing("database").tag("storage"));
    describe(builder).build().unwrap_err()
}

#[test]
fn two_endpoints_at_one_path_are_refused() {
    let path = || "/up".to_owned();
    let up = || Endpoint::strict("/up");
    let error = refusal(|b| b.endpoint(up()).endpoint(Endpoint::liveness("/up")));
    assert_eq!(error, BuildError::DuplicatePath { path: path() });
    let path = "/health".to_owned();
    let error = refusal(|b| b.endpoint(Endpoint::strict("/health")));
    assert_eq!(error, BuildError::DuplicatePath { path });
    assert!(error.to_string().contains("\"/health\""), "{error}");
}

#[test]
fn a_path_that_no_setting_may_have_is_refused() {
    for (path, rule) in [
        ("up", ConfigRule::UrlStart),
        ("", ConfigRule::UrlStart),
        ("/up?a", ConfigRule::UrlCharacter('?')),
        ("/{up}", ConfigRule::UrlCharacter('{')),
        ("/:up", ConfigRule::UrlPattern),
    ] {
        let error = refusal(|b| b.endpoint(Endpoint::strict(path)));
        let path = path.to_owned();
        assert_eq!(error, BuildError::EndpointPath { path, rule });
    }
}

#[test]
fn a_check_or_tag_that_there_is_not_is_refused() {
    let path = || "/up".to_owned();
    let up = || Endpoint::strict("/up");
    let error = refusal(|b| b.endpoint(up().only_checks(["database", "databse"])));
    let name = "databse".to_owned();
    assert_eq!(error, BuildError::UnknownCheck { path: path(), name });
    let error = refusal(|b| b.endpoint(up().tagged("storage").tagged("storge")));
    let tag = "storge".to_owned();
    assert_eq!(error, BuildError::UnknownTag { path: path(), tag });
    let error = refusal(|b| b.endpoint(Endpoint::liveness("/up").allow_dependency("databse")));
    let name = "databse".to_owned();
    assert_eq!(error, BuildError::UnknownCheck { path: path(), name });
}

#[test]
fn a_code_that_contradicts_its_state_is_refused() {
    let says = |state, code, word| {
        let endpoint = Endpoint::strict("/up").says(state, code, word);
        builder().endpoint(endpoint).build()
    };
    for (state, code, word) in [
        (State::Ok, 503, Word::Ok),
        (State::Ok, 302, Word::Ok),
        (State::Ok, 200, Word::Error),
        (State::Degraded, 429, Word::Ok),
        (State::Failing, 503, Word::Ok),
        (State::Failing, 200, Word::Error),
        (State::Failing, 299, Word::Error),
        (State::Failing, 302, Word::Error),
        (State::Maintenance, 200, Word::Maintenance),
        (State::Draining, 200, Word::Draining),
        (State::Starting, 200, Word::Starting),
        (State::Starting, 503, Word::Ok),
    ] {
        match says(state, code, word) {
            Err(error @ BuildError::ContradictingCode { .. }) => {
                let text = error.to_string();
                assert!(
                    text.contains(&code.to_string()) && text.contains("\"/up\""),
                    "{text}"
                );
            }
            other => panic!("{state} {code} {word}: {other:?}"),
        }
    }
    for (state, code, word) in [
        (State::Ok, 202, Word::Ok),
        (State::Degraded, 299, Word::Degraded),
        (State::Degraded, 503, Word::Degraded),
        (State::Failing, 500, Word::Error),
        (State::Maintenance, 299, Word::Maintenance),
        (State::Draining, 404, Word::Maintenance),
    ] {
        assert!(says(state, code, word).is_ok(), "{state} {code} {word}");
    }
    for code in [0, 199, 204, 304, 600] {
        let error = says(State::Failing, code, Word::Error).unwrap_err();
        assert!(matches!(error, BuildError::EndpointCode { .. }), "{error}");
    }
}

#[test]
fn a_failing_code_that_pollers_take_for_healthy_has_to_be_allowed_by_name() {
    let endpoint = Endpoint::strict("/up").allow_failing_code(299);
    let builder = builder().check("queue", || ready(Err::<(), _>("87 jobs")));
    let health = builder.endpoint(endpoint.always()).build().unwrap();
    let answer = block_on(health.at("/up").unwrap().respond(""));
    assert_eq!((answer.status().as_u16(), answer.body()), (299, "ERROR"));
}

#[test]
fn only_what_the_checks_cannot_say_can_be_ignored() {
    for state in State::ALL {
        let endpoint = Endpoint::strict("/up").ignores(state);
        let built = builder().endpoint(endpoint).build();
        assert_eq!(built.is_ok(), state > State::Failing, "{state}");
    }
}

#[test]
fn a_dependency_in_a_liveness_endpoint_has_to_be_allowed_by_name() {
    let live = || Endpoint::liveness("/live").all_checks();
    let error = refusal(|b| b.endpoint(live()));
    let (path, name) = ("/live".to_owned(), "database".to_owned());
    assert_eq!(error, BuildError::DependencyInLiveness { path, name });
    let error = refusal(|b| {
        b.subscribe(|_| ())
            .endpoint(live().allow_dependency("database"))
    });
    assert!(matches!(error, BuildError::DependencyInLiveness { .. }));

    let allowed = builder().add(passing("database"));
    let allowed = allowed
        .endpoint(live().allow_dependency("database"))
        .build();
    assert!(allowed.is_ok());

    let stalls = Check::new("stalls", || ready(Err::<(), _>("no progress"))).internal();
    let health = builder().add(stalls).endpoint(live()).build().unwrap();
    let answer = block_on(health.at("/live").unwrap().respond(""));
    assert_eq!(answer.state(), State::Failing);
}

#[test]
fn a_latch_without_a_name_of_its_own_is_refused() {
    let long = "x".repeat(129);
    for name in ["", "a\nb", &long] {
        let latch = StartupLatch::new(name);
        let error = refusal(|b| b.latch(&latch));
        assert!(matches!(error, BuildError::LatchName { .. }), "{error}");
    }
    let [first, second] = [(); 2].map(|()| StartupLatch::new("migrations"));
    let error = refusal(|b| b.latch(&first).latch(&second));
    assert!(error.to_string().contains("\"migrations\""), "{error}");
}

/// The headers of an answer beside the four that all have.
fn extras(health: &Health, path: &str) -> Vec<String> {
    let answer = block_on(health.at(path).unwrap().respond(""));
    let headers = answer.headers().skip(4);
    headers
        .map(|(name, value)| format!("{name}: {value}"))
        .collect()
}

#[test]
fn a_maintenance_answer_tells_when_to_come_back_where_it_is_told_to() {
    let endpoint = |path: &str, time| Endpoint::strict(path.to_owned()).retry_after(time);
    let health = builder()
        .endpoint(endpoint("/two-minutes", 120 * SECOND))
        .endpoint(endpoint("/rounded", SECOND / 2))
        .endpoint(Endpoint::strict("/silent"))
        .build()
        .unwrap();
    assert_eq!(extras(&health, "/two-minutes"), [""; 0]);
    health.maintenance_switch().turn_on();
    assert_eq!(extras(&health, "/two-minutes"), ["retry-after: 120"]);
    assert_eq!(extras(&health, "/rounded"), ["retry-after: 1"]);
    assert_eq!(extras(&health, "/silent"), [""; 0]);
    health.drain();
    assert_eq!(extras(&health, "/two-minutes"), [""; 0]);
}

#[test]
fn envoy_is_told_to_take_a_host_out_at_once_or_to_use_it_last() {
    let built = |check: Check| {
        let endpoint = Endpoint::envoy("/envoy").retry_after(SECOND);
        builder().add(check).endpoint(endpoint).build().unwrap()
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
