//! What is refused when endpoints are built (H16, H17, H18).

use std::future::ready;

use futures::executor::block_on;
use health_core::{
    Body, BuildError, Check, ConfigRule, Endpoint, HealthBuilder, RunChecks, StartupLatch, State,
};

use crate::{builder, passing};

fn refusal(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> BuildError {
    let builder = builder().register(passing("database").tag("storage"));
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
fn a_check_or_tag_that_does_not_exist_is_refused_with_those_that_do() {
    let path = || "/up".to_owned();
    let unknown = |name: &str| BuildError::UnknownCheck {
        path: path(),
        name: name.to_owned(),
        known: vec!["database".to_owned()],
    };
    let up = || Endpoint::strict("/up");
    let error = refusal(|b| b.endpoint(up().only_checks(["database", "databse"])));
    assert_eq!(error, unknown("databse"));
    let error = refusal(|b| b.endpoint(up().tagged("storage").tagged("storge")));
    assert_eq!(
        error,
        BuildError::UnknownTag {
            path: path(),
            tag: "storge".to_owned(),
            known: vec!["storage".to_owned()],
        }
    );
    let error = refusal(|b| b.endpoint(Endpoint::liveness("/up").allow_dependency("databse")));
    assert_eq!(error, unknown("databse"));
}

#[test]
fn a_code_that_contradicts_its_state_is_refused() {
    let says = |state, code, word| {
        let endpoint = Endpoint::strict("/up").respond_with(state, code, word);
        builder().endpoint(endpoint).build()
    };
    for (state, code, word) in [
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
        (State::Ok, 202, Body::Ok),
        (State::Degraded, 299, Body::Degraded),
        (State::Degraded, 503, Body::Degraded),
        (State::Failing, 500, Body::Error),
        (State::Maintenance, 299, Body::Maintenance),
        (State::Draining, 404, Body::Maintenance),
    ] {
        assert!(says(state, code, word).is_ok(), "{state} {code} {word}");
    }
    for code in [0, 199, 204, 304, 600] {
        let error = says(State::Failing, code, Body::Error).unwrap_err();
        assert!(matches!(error, BuildError::EndpointCode { .. }), "{error}");
    }
}

#[test]
fn a_failing_code_that_pollers_take_for_healthy_has_to_be_allowed_by_name() {
    let endpoint = Endpoint::strict("/up").allow_failing_code(299);
    let builder = builder().check("queue", || ready(Err::<(), _>("87 jobs")));
    let health = builder
        .endpoint(endpoint.run_checks(RunChecks::Always))
        .build()
        .unwrap();
    let answer = block_on(health.at("/up").unwrap().respond(""));
    assert_eq!((answer.status().as_u16(), answer.body()), (299, "ERROR"));

    let endpoint = Endpoint::strict("/up").allow_failing_code(299);
    let endpoint = endpoint.respond_with(State::Failing, 200, Body::Error);
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
        (State::Starting, Body::Starting),
        (State::Maintenance, Body::Maintenance),
        (State::Draining, Body::Draining),
    ] {
        let endpoint = Endpoint::liveness("/live").respond_with(state, 503, word);
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
        let endpoint = Endpoint::strict("/up").ignore(state);
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
        b.register(Check::event("silent", |_| ()))
            .endpoint(live().allow_dependency("database"))
    });
    assert!(matches!(error, BuildError::DependencyInLiveness { .. }));

    let allowed = builder().register(passing("database"));
    let allowed = allowed
        .endpoint(live().allow_dependency("database"))
        .build();
    assert!(allowed.is_ok());

    let stalls = Check::new("stalls", || ready(Err::<(), _>("no progress"))).process_only();
    let health = builder().register(stalls).endpoint(live()).build().unwrap();
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
    let name = || "migrations".to_owned();
    let error = refusal(|b| b.latch(&first).latch(&second));
    assert_eq!(error, BuildError::DuplicateLatch { name: name() });
    let error = refusal(|b| b.latch(&first).latch(&first));
    assert_eq!(error, BuildError::DuplicateLatch { name: name() });
}
