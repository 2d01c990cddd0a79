//! The state that an endpoint shows if several apply (H17, H18, H19).

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt as _;
use futures::executor::block_on;
use health_core::{Answer, Check, Endpoint, Health, MaintenanceSource, StartupLatch, State};

use crate::builder;

/// The states that apply.
#[derive(Debug, Clone, Copy)]
struct Holding {
    draining: bool,
    maintenance: bool,
    starting: bool,
    failing: bool,
    degraded: bool,
}

impl Holding {
    fn all() -> impl Iterator<Item = Self> {
        (0..32).map(|bits| {
            let [draining, maintenance, starting, failing, degraded] =
                [16, 8, 4, 2, 1].map(|bit| bits & bit != 0);
            Self { draining, maintenance, starting, failing, degraded }
        })
    }

    /// The model: the gravest state that applies and is not ignored.
    fn expected(self, shows: impl Fn(State) -> bool) -> State {
        let states = [
            (self.draining, State::Draining),
            (self.maintenance, State::Maintenance),
            (self.starting, State::Starting),
            (self.failing, State::Failing),
            (self.degraded, State::Degraded),
        ];
        let shown = states.into_iter().find(|(holds, state)| *holds && shows(*state));
        shown.map_or(State::Ok, |(_, state)| state)
    }
}

/// An application with an endpoint for every combination of ignored states, the states that apply, and the number of
/// started checks.
fn application(holding: Holding) -> (Health, StartupLatch, Arc<AtomicUsize>) {
    let starts = Arc::new(AtomicUsize::new(0));
    let check = |name, fails| {
        let starts = starts.clone();
        Check::new(name, move || {
            starts.fetch_add(1, Ordering::SeqCst);
            ready(if fails { Err("no route") } else { Ok(()) })
        })
    };
    let latch = StartupLatch::new("migrations");
    let mut builder = builder()
        .register(check("database", holding.failing))
        .register(check("mail", holding.degraded).optional());
    if holding.starting {
        builder = builder.latch(&latch);
    }
    for (number, ignored) in ignored().enumerate() {
        let endpoint = Endpoint::readiness(format!("/{number}"));
        let endpoint = ignored.into_iter().fold(endpoint, Endpoint::ignore);
        builder = builder.endpoint(endpoint);
    }
    let health = builder.build().unwrap();
    if holding.maintenance {
        health.maintenance_switch().turn_on();
    }
    if holding.draining {
        health.drain();
    }
    (health, latch, starts)
}

/// Every choice of states to ignore.
fn ignored() -> impl Iterator<Item = Vec<State>> {
    let can_be_ignored = [State::Starting, State::Maintenance, State::Draining];
    (0..8).map(move |bits| {
        let chosen = can_be_ignored.into_iter().enumerate();
        let chosen = chosen.filter(|(number, _)| bits & (1 << number) != 0);
        chosen.map(|(_, state)| state).collect()
    })
}

#[test]
fn the_gravest_state_counts_that_the_endpoint_does_not_ignore() {
    for holding in Holding::all() {
        let (health, _latch, starts) = application(holding);
        for (number, ignored) in ignored().enumerate() {
            let before = starts.load(Ordering::SeqCst);
            let endpoint = health.at(&format!("/{number}")).unwrap();
            let state = block_on(endpoint.respond("")).state();
            let expected = holding.expected(|state| !ignored.contains(&state));
            assert_eq!(state, expected, "{holding:?}, ignoring {ignored:?}");
            let started = starts.load(Ordering::SeqCst) - before;
            let expected = if state > State::Failing { 0 } else { 2 };
            assert_eq!(started, expected, "{holding:?}, ignoring {ignored:?}");
            let watched = block_on(endpoint.watch().next());
            assert_eq!(watched, Some(state), "{holding:?}, ignoring {ignored:?}");
            assert_eq!(starts.load(Ordering::SeqCst) - before, started, "a watch runs no check");
        }
    }
}

fn texts(answer: &Answer) -> Vec<String> {
    answer.records().map(|record| record.text().to_owned()).collect()
}

#[test]
fn the_endpoint_of_the_settings_answers_a_start_and_a_drain_as_a_maintenance_and_logs_what_it_is() {
    let latch = StartupLatch::new("migrations");
    let health = builder().latch(&latch).build().unwrap();
    let ask = || block_on(health.answer("checks=all"));
    let starting = ask();
    assert_eq!(texts(&starting), [r#"Health response: STARTING (["migrations"])"#]);
    health.maintenance_switch().turn_on();
    let maintenance = ask();
    assert_eq!(texts(&maintenance), ["Health response: MAINTENANCE"]);
    health.drain();
    let draining = ask();
    assert_eq!(texts(&draining), ["Health response: DRAINING"]);
    for answer in [starting, maintenance, draining] {
        let response = answer.response();
        assert_eq!((response.status().as_u16(), response.body()), (299, "MAINTENANCE"));
    }
}

#[test]
fn a_start_that_failed_is_an_error_without_being_asked_for_checks() {
    let latch = StartupLatch::new("migrations");
    let health = builder().latch(&latch).endpoint(Endpoint::liveness("/live")).build().unwrap();
    drop(latch);
    let answer = block_on(health.answer(""));
    let response = answer.response();
    assert_eq!((response.status().as_u16(), response.body()), (503, "ERROR"));
    let text = r#"Health response: ERROR ([{"name":"migrations","status":"ERROR","message":"start-up latch dropped before its release"}])"#;
    assert_eq!(texts(&answer), [text]);
    // A startup probe makes the orchestrator restart the process, not the liveness probe.
    let live = block_on(health.at("/live").unwrap().respond(""));
    assert_eq!(live.state(), State::Ok);
}

#[test]
fn a_latch_that_fails_is_logged_with_its_error_and_nothing_releases_it() {
    let [failed, dropped] = ["migrations", "cache"].map(StartupLatch::new);
    let health = builder().latch(&failed).latch(&dropped).build().unwrap();
    failed.fail(std::io::Error::other("no route to host"));
    let text = r#"Health response: ERROR ([{"name":"migrations","status":"ERROR","message":"start-up latch failed: no route to host"}])"#;
    let answer = block_on(health.answer(""));
    assert_eq!(texts(&answer), [text]);
    assert_eq!((answer.response().status().as_u16(), answer.response().body()), (503, "ERROR"));
    dropped.release();
    assert_eq!(texts(&block_on(health.answer("checks=all"))), [text]);
}

#[test]
fn the_error_of_a_latch_is_cut_like_any_message() {
    let latch = StartupLatch::new("migrations");
    let health = builder().latch(&latch).build().unwrap();
    latch.fail("é".repeat(2000));
    let kept = "é".repeat((1024 - "start-up latch failed: ".len()) / 2);
    let [text] = &texts(&block_on(health.answer("")))[..] else { panic!("one record") };
    let end = format!(r#""message":"start-up latch failed: {kept}…"}}])"#);
    assert!(text.ends_with(&end), "{text}");
}

/// Counts its calls.
struct Counted(Arc<AtomicUsize>);

impl MaintenanceSource for Counted {
    fn is_active(&self) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst);
        false
    }
}

#[test]
fn what_an_endpoint_ignores_it_does_not_even_ask() {
    let asked = Arc::new(AtomicUsize::new(0));
    let health = builder()
        .maintenance_source(Counted(asked.clone()))
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    for (path, expected) in [("/live", 0), ("/ready", 1)] {
        let answer = block_on(health.at(path).unwrap().respond(""));
        assert_eq!(answer.state(), State::Ok);
        assert_eq!(asked.load(Ordering::SeqCst), expected, "{path}");
    }
}

#[test]
fn the_switch_is_one_for_all_clones_and_ends_no_maintenance_but_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("maintenance");
    let config = health_core::HealthConfig::default().with_disablefile(&path);
    let health = Health::builder().config(config).build().unwrap();
    let state = || block_on(health.clone().respond("")).state();
    let switch = health.maintenance_switch();
    switch.clone().turn_on();
    assert!(switch.is_on());
    assert_eq!(state(), State::Maintenance);
    std::fs::write(&path, "").unwrap();
    health.maintenance_switch().turn_off();
    assert_eq!(state(), State::Maintenance);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(state(), State::Ok);
}
