//! Errors about endpoints when they are built (H16, H17, H18), and their messages.

use std::future::ready;
use std::time::Duration;

use futures::executor::block_on;
use health_core::{
    Body, BuildError, Check, Endpoint, HealthBuilder, RunChecks, StartupLatch, State, StatusCode,
};

use crate::{builder, passing};

fn refused(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> BuildError {
    let builder = builder().register(passing("database").tag("storage"));
    describe(builder).build().unwrap_err()
}

fn refusal(endpoint: Endpoint) -> String {
    refused(|b| b.endpoint(endpoint)).to_string()
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap()
}

#[test]
fn two_endpoints_at_one_path_are_refused() {
    let error = |path: &str, first: Endpoint, second: Endpoint| {
        let error = refused(|b| b.endpoint(first).endpoint(second)).to_string();
        let expected = format!("two endpoints have the path {path:?}: give each its own path");
        assert_eq!(error, expected);
    };
    error("/up", Endpoint::strict("/up"), Endpoint::liveness("/up"));
    error("/health", Endpoint::strict("/health"), Endpoint::strict("/up"));
}

#[test]
fn a_path_that_no_setting_may_have_is_refused() {
    for (path, rule) in [
        ("up", "a url must start with `/`"),
        ("", "a url must start with `/`"),
        ("/up?a", "a url must not contain '?'"),
        ("/{up}", "a url must not contain '{'"),
        ("/:up", "must not start with `:`"),
    ] {
        let error = refusal(Endpoint::strict(path));
        let start = format!("an endpoint cannot have the path {path:?}: ");
        assert!(error.starts_with(&start) && error.contains(rule), "{error}");
    }
}

#[test]
fn an_unknown_check_or_tag_is_refused_with_the_names_there_are() {
    let unknown_check = r#"the endpoint at "/up" names the check "databse", which is not registered: the checks are "database""#;
    let up = || Endpoint::strict("/up");
    assert_eq!(refusal(up().only_checks(["database", "databse"])), unknown_check);
    let live = Endpoint::liveness("/up").allow_dependency("databse");
    assert_eq!(refusal(live), unknown_check);
    assert_eq!(
        refusal(up().tagged("storage").tagged("storge")),
        r#"the endpoint at "/up" names the tag "storge", which no check has: the tags are "storage""#
    );
    let without_checks = builder().endpoint(up().tagged("storage")).build();
    let error = without_checks.unwrap_err().to_string();
    assert!(error.ends_with("which no check has: there are no tags"), "{error}");
}

#[test]
fn a_response_that_contradicts_its_state_is_refused() {
    let built = |state, code, body| {
        let endpoint = Endpoint::strict("/up").respond_with(state, status(code), body);
        builder().endpoint(endpoint).build()
    };
    for (state, code, body) in [
        (State::Ok, 503, Body::Ok),
        (State::Ok, 302, Body::Ok),
        (State::Ok, 200, Body::Error),
        (State::Degraded, 429, Body::Ok),
        (State::Failing, 503, Body::Ok),
        (State::Failing, 200, Body::Error),
        (State::Failing, 299, Body::Error),
        (State::Failing, 302, Body::Error),
        (State::Maintenance, 200, Body::Maintenance),
        (State::Draining, 202, Body::Draining),
        (State::Starting, 302, Body::Starting),
        (State::Starting, 503, Body::Ok),
    ] {
        let error = built(state, code, body).unwrap_err().to_string();
        let expected =
            format!(r#"the endpoint at "/up" cannot respond {code} {body} in the state {state}: "#);
        assert!(error.starts_with(&expected), "{error}");
    }
    for (state, code, body) in [
        (State::Ok, 202, Body::Ok),
        (State::Degraded, 299, Body::Degraded),
        (State::Degraded, 503, Body::Degraded),
        (State::Failing, 500, Body::Error),
        (State::Maintenance, 299, Body::Maintenance),
        (State::Draining, 404, Body::Maintenance),
    ] {
        assert!(built(state, code, body).is_ok(), "{state} {code} {body}");
    }
    for code in [100, 199, 204, 304, 600] {
        let error = built(State::Failing, code, Body::Error).unwrap_err();
        assert!(matches!(error, BuildError::EndpointCode { .. }), "{error}");
        let expected = format!(
            r#"the endpoint at "/up" cannot respond {code} in the state failing: a code must"#
        );
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

#[test]
fn a_failing_code_that_pollers_regard_as_healthy_must_be_allowed_by_name() {
    let endpoint = || Endpoint::strict("/up").allow_failing_code(status(299));
    let builder = builder().check("queue", || ready(Err::<(), _>("87 jobs")));
    let health = builder.endpoint(endpoint().run_checks(RunChecks::Always)).build().unwrap();
    let response = block_on(health.at("/up").unwrap().respond(""));
    assert_eq!((response.status().as_u16(), response.body()), (299, "ERROR"));

    let other = endpoint().respond_with(State::Failing, StatusCode::OK, Body::Error);
    let error = refused(|b| b.endpoint(other));
    assert!(matches!(error, BuildError::ContradictingCode { .. }), "{error}");
}

#[test]
fn an_empty_choice_of_checks_is_refused() {
    assert_eq!(
        refusal(Endpoint::readiness("/up").only_checks([""; 0])),
        r#"the endpoint at "/up" runs only the checks of an empty list: call Endpoint::no_checks if it is to run none"#
    );
}

#[test]
fn choices_of_checks_that_contradict_each_other_are_refused() {
    let up = || Endpoint::readiness("/up");
    for endpoint in [
        up().no_checks().only_checks(["database"]),
        up().only_checks(["database"]).no_checks(),
        up().tagged("storage").all_checks(),
        up().all_checks().no_checks(),
        Endpoint::liveness("/up").no_checks().all_checks(),
    ] {
        let error = refusal(endpoint);
        let expected =
            r#"the endpoint at "/up" chooses its checks in ways that contradict each other"#;
        assert!(error.starts_with(expected), "{error}");
    }
    for endpoint in [
        up().only_checks(["database"]).only_checks(["database"]).tagged("storage"),
        up().no_checks().no_checks(),
        // The choice of a preset is a default.
        Endpoint::liveness("/up").only_checks(["database"]).allow_dependency("database"),
    ] {
        let builder = builder().register(passing("database").tag("storage"));
        assert!(builder.endpoint(endpoint).build().is_ok());
    }
}

#[test]
fn a_call_that_would_have_no_effect_is_refused() {
    let live = Endpoint::liveness("/live").retry_after(Duration::from_secs(60));
    assert_eq!(
        refusal(live),
        r#"Endpoint::retry_after has no effect on the endpoint at "/live", which ignores maintenance: remove the call"#
    );
    assert_eq!(
        refusal(Endpoint::strict("/up").allow_dependency("database")),
        r#"Endpoint::allow_dependency has no effect on the endpoint at "/up", which is not a liveness endpoint: remove the call"#
    );
    // Allowed, but not chosen: the endpoint would run no check.
    let live = Endpoint::liveness("/live").allow_dependency("database");
    let error = builder().register(passing("database")).endpoint(live).build();
    assert_eq!(
        error.unwrap_err().to_string(),
        r#"Endpoint::allow_dependency has no effect on the endpoint at "/live", which runs a check only if Endpoint::only_checks, tagged or all_checks chooses it: remove the call"#
    );
    let replaced = Endpoint::strict("/up").allow_failing_code(status(299)).respond_with(
        State::Failing,
        status(503),
        Body::Error,
    );
    assert_eq!(
        refusal(replaced),
        r#"Endpoint::allow_failing_code has no effect on the endpoint at "/up", which responds with another code when failing: remove the call"#
    );
    let never = || Endpoint::strict("/up").run_checks(RunChecks::Never);
    for (endpoint, call) in [
        (never().only_checks(["database"]), "only_checks"),
        (never().tagged("storage"), "tagged"),
        (never().all_checks(), "all_checks"),
    ] {
        assert_eq!(
            refusal(endpoint),
            format!(
                "Endpoint::{call} has no effect on the endpoint at \"/up\", which never runs its checks: remove the call"
            )
        );
    }
    assert!(builder().endpoint(never().no_checks()).build().is_ok());
}

#[test]
fn a_liveness_endpoint_shows_no_state_that_a_restart_does_not_fix() {
    for (state, body) in [
        (State::Starting, Body::Starting),
        (State::Maintenance, Body::Maintenance),
        (State::Draining, Body::Draining),
    ] {
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        let error = refusal(Endpoint::liveness("/live").respond_with(state, unavailable, body));
        assert!(error.ends_with("use Endpoint::readiness"), "{error}");
    }
}

#[test]
fn only_starting_maintenance_and_draining_can_be_ignored() {
    for state in State::ALL {
        let endpoint = Endpoint::strict("/up").ignore(state);
        let built = builder().endpoint(endpoint).build();
        assert_eq!(built.is_ok(), state > State::Failing, "{state}");
    }
}

#[test]
fn a_dependency_in_a_liveness_endpoint_must_be_allowed_by_name() {
    let live = || Endpoint::liveness("/live").all_checks();
    assert!(refusal(live()).starts_with(
        r#"the liveness endpoint at "/live" runs the check "database" of a dependency"#
    ));
    let error = refused(|b| {
        b.register(Check::event("silent", |_| ())).endpoint(live().allow_dependency("database"))
    });
    assert!(matches!(error, BuildError::DependencyInLiveness { .. }));

    let allowed =
        builder().register(passing("database")).endpoint(live().allow_dependency("database"));
    assert!(allowed.build().is_ok());

    let stalls = Check::new("stalls", || ready(Err::<(), _>("no progress"))).process_only();
    let health = builder().register(stalls).endpoint(live()).build().unwrap();
    let response = block_on(health.at("/live").unwrap().respond(""));
    assert_eq!(response.state(), State::Failing);
}

#[test]
fn a_latch_with_an_invalid_or_duplicate_name_is_refused() {
    let long = "x".repeat(129);
    for name in ["", "a\nb", &long] {
        let latch = StartupLatch::new(name);
        let error = refused(|b| b.latch(&latch));
        assert!(matches!(error, BuildError::LatchName { .. }), "{error}");
    }
    let [first, second] = [(); 2].map(|()| StartupLatch::new("migrations"));
    let expected =
        r#"two start-up latches are named "migrations": give each its own name, and add it once"#;
    assert_eq!(refused(|b| b.latch(&first).latch(&second)).to_string(), expected);
    assert_eq!(refused(|b| b.latch(&first).latch(&first)).to_string(), expected);
}
