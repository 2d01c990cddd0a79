//! Many endpoints, one registry of checks (H16).

use std::future::{pending, ready};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use health_core::{
    BuildError, Check, ConfigRule, Endpoint, Health, HealthBuilder, Runtime, StartupLatch, State,
    Task, Word,
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
    assert_eq!(state(Endpoint::readiness("/other").on_request()), State::Ok);
    assert_eq!(state(Endpoint::strict("/other")), State::Ok);
    assert_eq!(state(Endpoint::strict("/other").always()), State::Failing);
}

/// A check that takes a second and fails, and how often it was executed.
fn slow(time: &VirtualTime, name: &str) -> (Check, Arc<AtomicUsize>) {
    slow_for(time, name, SECOND)
}

fn slow_for(time: &VirtualTime, name: &str, length: Duration) -> (Check, Arc<AtomicUsize>) {
    let executions = Arc::new(AtomicUsize::new(0));
    let (clock, counted) = (time.clone(), executions.clone());
    let check = Check::new(name, move || {
        let execution = counted.fetch_add(1, Ordering::SeqCst) + 1;
        let sleep = clock.sleep_until(clock.now() + length);
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
fn endpoints_that_choose_the_same_checks_share_the_last_result_too() {
    let time = VirtualTime::default();
    let (check, executions) = slow(&time, "shared");
    let health = builder()
        .runtime(time.clone())
        .min_interval(10 * SECOND)
        .add(check)
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    time.ask(&health);
    time.pass(SECOND);
    let ready = time.ask_at(&health, "/ready");
    let first = result("shared", "ERROR", Some("execution 1"));
    assert_eq!(ready.results(), [first]);
    assert_eq!(executions.load(Ordering::SeqCst), 1);
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

/// Polls each task once, and then no more: as if each were stuck with its check.
#[derive(Clone)]
struct Stuck {
    time: VirtualTime,
    tasks: Arc<Mutex<Vec<Task>>>,
    is_over: Arc<AtomicBool>,
}

impl Runtime for Stuck {
    fn now(&self) -> Instant {
        self.time.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        self.time.sleep_until(deadline)
    }

    fn spawn(&self, mut task: Task) {
        if self.is_over.load(Ordering::SeqCst) {
            return self.time.spawn(task);
        }
        let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.tasks.lock().unwrap().push(task);
    }
}

#[test]
fn who_joins_an_execution_that_is_stuck_sees_to_it_that_it_ends_at_its_deadline() {
    let time = VirtualTime::default();
    let runtime = Stuck {
        time: time.clone(),
        tasks: Arc::default(),
        is_over: Arc::default(),
    };
    let health = builder()
        .runtime(runtime.clone())
        .run_deadline(60 * SECOND)
        .check("stuck", pending::<Result<(), String>>)
        .add(passing("quick"))
        .endpoint(Endpoint::readiness("/ready").only_checks(["stuck"]))
        .build()
        .unwrap();
    time.ask(&health).leave();
    runtime.is_over.store(true, Ordering::SeqCst);
    time.pass(SECOND);
    let ready = time.ask_at(&health, "/ready");
    time.pass(4 * SECOND);
    assert!(!ready.is_answered());
    time.pass(Duration::from_millis(20));
    let timed_out = result("stuck", "ERROR", Some("timed out after 5s"));
    assert_eq!(ready.results(), [timed_out]);
}

#[test]
fn the_end_of_one_run_cuts_short_no_check_of_another() {
    let time = VirtualTime::default();
    let (first, _) = slow_for(&time, "first", 5 * SECOND);
    let (shared, executions) = slow_for(&time, "shared", 2 * SECOND);
    let health = builder()
        .runtime(time.clone())
        .deadline(6 * SECOND)
        .run_deadline(6 * SECOND)
        .concurrent_checks(1)
        .add(first)
        .add(shared)
        .endpoint(Endpoint::readiness("/ready").only_checks(["shared"]))
        .build()
        .unwrap();
    let all = time.ask(&health);
    time.pass(SECOND / 2 * 11);
    let ready = time.ask_at(&health, "/ready");
    time.pass(SECOND / 2);
    let cut = result("shared", "ERROR", Some("timed out after 1s"));
    assert_eq!(all.results()[1], cut);
    time.pass(2 * SECOND);
    let own = result("shared", "ERROR", Some("execution 2"));
    assert_eq!(ready.results(), [own]);
    assert_eq!(executions.load(Ordering::SeqCst), 2);
}

#[test]
fn a_result_that_another_run_gives_too_late_is_dropped() {
    let time = VirtualTime::default();
    let (first, _) = slow_for(&time, "first", 5 * SECOND);
    let (shared, _) = slow_for(&time, "shared", 5 * SECOND);
    let health = builder()
        .runtime(time.clone())
        .deadline(6 * SECOND)
        .run_deadline(6 * SECOND)
        .concurrent_checks(1)
        .add(first)
        .add(shared)
        .endpoint(Endpoint::readiness("/ready").only_checks(["shared"]))
        .build()
        .unwrap();
    let all = time.ask(&health);
    time.pass(3 * SECOND);
    let ready = time.ask_at(&health, "/ready");
    time.pass(3 * SECOND + Duration::from_millis(20));
    let not_run = result("shared", "ERROR", Some("timed out before it could run"));
    assert_eq!(all.results()[1], not_run);
    time.pass(2 * SECOND);
    let own = result("shared", "ERROR", Some("execution 1"));
    assert_eq!(ready.results(), [own]);
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
        (State::Draining, 202, Word::Draining),
        (State::Starting, 302, Word::Starting),
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

    let endpoint = Endpoint::strict("/up").allow_failing_code(299);
    let endpoint = endpoint.says(State::Failing, 200, Word::Error);
    let error = refusal(|b| b.endpoint(endpoint));
    assert!(matches!(
        error,
        BuildError::ContradictingCode { code: 200, .. }
    ));
}

#[test]
fn a_choice_of_no_check_has_to_be_made_in_words() {
    let endpoint = Endpoint::readiness("/up").only_checks([""; 0]);
    let path = "/up".to_owned();
    assert_eq!(
        refusal(|b| b.endpoint(endpoint)),
        BuildError::EmptyChoice { path }
    );
}

#[test]
fn a_liveness_endpoint_shows_nothing_that_is_no_reason_to_restart() {
    for (state, word) in [
        (State::Starting, Word::Starting),
        (State::Maintenance, Word::Maintenance),
        (State::Draining, Word::Draining),
    ] {
        let endpoint = Endpoint::liveness("/live").says(state, 503, word);
        let error = refusal(|b| b.endpoint(endpoint));
        assert!(
            matches!(error, BuildError::ContradictingCode { .. }),
            "{error}"
        );
    }
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
