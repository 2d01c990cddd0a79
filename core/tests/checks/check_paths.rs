//! Single checks by path.

use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use health_core::{
    Body, BuildError, Check, Endpoint, Health, HealthBuilder, RunChecks, State, StatusCode,
};

use crate::virtual_time::VirtualTime;
use crate::{builder, passing};

fn failing() -> Result<(), &'static str> {
    Err("down")
}

fn three() -> HealthBuilder {
    builder()
        .register(passing("database"))
        .register(Check::new("mail", || async { failing() }).optional())
        .register(Check::new("cache (eu)", || async { failing() }))
}

fn ask(health: &Health, path: &str) -> (u16, &'static str) {
    let response = block_on(health.at(path).unwrap().respond(""));
    (response.status().as_u16(), response.word().as_str())
}

#[test]
fn each_check_responds_alone_whatever_it_means_for_the_endpoint() {
    let health = three()
        .endpoint(Endpoint::readiness("/ready").optional_check("cache (eu)").check_paths())
        .build()
        .unwrap();
    assert_eq!(ask(&health, "/ready"), (200, "OK"));
    assert_eq!(ask(&health, "/ready/database"), (200, "OK"));
    assert_eq!(ask(&health, "/ready/mail"), (503, "ERROR"));
    assert_eq!(ask(&health, "/ready/cache~20~28eu~29"), (503, "ERROR"));
    for path in ["/ready/", "/ready/none", "/ready/database/", "/health/database"] {
        assert!(health.at(path).is_none(), "{path}");
    }
}

#[test]
fn a_request_for_a_check_runs_only_that_check_and_is_logged_under_its_path() {
    let runs = Arc::new(Mutex::new(Vec::new()));
    let check = |name: &'static str| {
        let runs = runs.clone();
        Check::new(name, move || {
            runs.lock().unwrap().push(name);
            async { failing() }
        })
    };
    let health = builder()
        .register(check("database"))
        .register(check("mail"))
        .endpoint(Endpoint::strict("/status").check_paths())
        .build()
        .unwrap();
    let answer = block_on(health.at("/status/mail").unwrap().answer(""));
    assert_eq!(*runs.lock().unwrap(), ["mail"]);
    let record = answer.records().next().unwrap();
    assert_eq!(record.endpoint(), Some("/status/mail"));
    assert!(!record.text().contains("database"));
}

#[test]
fn a_check_path_shows_the_states_of_its_endpoint_with_the_same_responses() {
    let health = three()
        .endpoint(
            Endpoint::readiness("/ready")
                .respond_with(State::Failing, StatusCode::INTERNAL_SERVER_ERROR, Body::Error)
                .check_paths(),
        )
        .build()
        .unwrap();
    assert_eq!(ask(&health, "/ready/mail"), (500, "ERROR"));
    health.maintenance_switch().turn_on();
    assert_eq!(ask(&health, "/ready/database"), (503, "MAINTENANCE"));
    health.drain();
    assert_eq!(ask(&health, "/ready/database"), (503, "DRAINING"));
}

#[test]
fn a_path_of_a_check_that_another_endpoint_has_is_an_error() {
    let built = three()
        .endpoint(Endpoint::readiness("/ready").check_paths())
        .endpoint(Endpoint::liveness("/ready/mail"))
        .build();
    let error = built.unwrap_err();
    assert!(matches!(&error, BuildError::CheckPath { path, .. } if path == "/ready/mail"));
    assert_eq!(
        error.to_string(),
        "\"/ready/mail\" is the path of a check of an endpoint with `check_paths`, and of another endpoint: give that another path"
    );
    let built = three()
        .endpoint(Endpoint::readiness("/a").check_paths())
        .endpoint(Endpoint::readiness("/a/").check_paths())
        .build();
    assert!(matches!(built, Err(BuildError::CheckPath { .. })));
}

#[test]
fn check_paths_without_checks_are_an_error() {
    for endpoint in [
        Endpoint::liveness("/live").check_paths(),
        Endpoint::readiness("/ready").run_checks(RunChecks::Never).check_paths(),
    ] {
        assert!(matches!(three().endpoint(endpoint).build(), Err(BuildError::NoEffect { .. })));
    }
}

#[test]
fn state_observers_hear_of_the_endpoint_and_not_of_each_check() {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let heard = paths.clone();
    let time = VirtualTime::default();
    let health = three()
        .runtime(time.clone())
        .state_observer(move |notification| {
            if let health_core::Notification::StateChanged(changed) = notification {
                heard.lock().unwrap().push((changed.path.to_string(), changed.now));
            }
        })
        .endpoint(Endpoint::readiness("/ready").check_paths())
        .build()
        .unwrap();
    health.start_on(time.clone());
    health.drain();
    let drains = |path: &str| paths.lock().unwrap().contains(&(path.to_owned(), State::Draining));
    time.wait_until(|| drains("/ready"));
    let mut paths: Vec<_> = paths.lock().unwrap().iter().map(|(path, _)| path.clone()).collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths, ["/health", "/ready"]);
}
