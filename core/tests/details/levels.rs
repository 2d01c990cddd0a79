//! Who sees what, and in which format.

use health_core::{
    BearerTokens, Check, CheckResult, DetailLevel, Endpoint, HealthCheckEvent, HealthSubscriber,
    LogLevel, StartupLatch, State, Unit, async_trait,
};

use crate::leaks::requests;
use crate::service::{SECRET, Service, header};

pub(crate) const TOKEN: &str = "Bearer c3VjaCBhIHNlY3JldA==";

/// A service whose only check fails with a secret in everything that may contain one.
pub(crate) fn failing(describe: impl FnOnce(Endpoint) -> Endpoint) -> Service {
    let service = Service::new(|builder, results, time| {
        let database = results.check(time, "database").description(SECRET).owner(SECRET);
        builder
            .register(database.runbook(format!("https://example.com/{SECRET}")))
            .service(SECRET, SECRET)
            .endpoint(describe(Endpoint::readiness("/ready")))
    });
    let failure = CheckResult::error(SECRET).reason("refused");
    service.set("database", 1, failure.value("hunter2", 4711.0, Unit::Count));
    service
}

pub(crate) fn tokens() -> BearerTokens {
    BearerTokens::new(["c3VjaCBhIHNlY3JldA=="]).unwrap()
}

#[test]
fn only_the_full_level_shows_what_may_be_secret() {
    let accept = ("Accept", "application/json");
    let service = failing(|endpoint| endpoint.details(DetailLevel::States));
    for headers in [vec![accept], vec![accept, ("Authorization", TOKEN)]] {
        let response = service.get("/ready", &headers);
        assert!(response.body().contains("refused"));
        assert!(!response.body().contains(SECRET) && !response.body().contains("4711"));
    }
    let tokens = tokens();
    let service = failing(|endpoint| endpoint.full_details_for(&tokens));
    let stranger = service.get("/ready", &[accept]);
    assert_eq!((stranger.body(), header(&stranger, "vary")), ("ERROR", None), "no sign of tokens");
    assert_eq!(service.get("/ready", &[accept, ("Authorization", "Bearer wrong")]).body(), "ERROR");
    let response = service.get("/ready", &[accept, ("Authorization", TOKEN)]);
    assert!(response.body().contains(SECRET) && response.body().contains("4711"));
}

#[test]
fn the_log_has_the_message_under_the_reference_that_the_reader_sees() {
    let service = failing(|endpoint| endpoint.details(DetailLevel::States));
    let document = service.json("/ready");
    let reference = document["checks"]["database"]["results"][0]["reference"].as_str().unwrap();
    let results = service.health.last_results();
    assert_eq!(results[0].reports[0].message(), Some(SECRET));
    let endpoint = service.health.at("/ready").unwrap();
    let answer = service.wait(async move { endpoint.answer("").await });
    let record = answer.records().find(|record| record.level() == LogLevel::Error).unwrap();
    let result = format!(r#""message":"{SECRET}","reference":"{reference}""#);
    assert!(record.text().contains(&result), "{}", record.text());
}

#[test]
fn every_format_has_the_same_status_and_says_that_it_varies() {
    let latch = StartupLatch::new("cache");
    let service = Service::new(|builder, _, _| {
        builder.latch(&latch).endpoint(Endpoint::readiness("/ready").details(DetailLevel::States))
    });
    for (query, accept) in requests() {
        let accept = &*Box::leak(accept.into_boxed_str());
        let response = service.get(&format!("/ready?{query}"), &[("Accept", accept)]);
        assert_eq!(response.status(), 503);
        assert_eq!(response.state(), State::Starting);
        assert_eq!(header(&response, "vary").as_deref(), Some("accept"));
        assert_eq!(header(&response, "cache-control").as_deref(), Some("no-store"));
        let length = header(&response, "content-length").unwrap();
        assert_eq!(length, response.body().len().to_string());
    }
    let response = service.get("/health", &[("Accept", "application/json")]);
    assert_eq!((response.body(), header(&response, "vary")), ("MAINTENANCE", None));
}

#[test]
fn a_short_token_is_a_warning() {
    let tokens = BearerTokens::new(["c3VjaCBhIHNlY3JldA==", "short"]).unwrap();
    let service = Service::new(|builder, _, _| {
        builder.endpoint(Endpoint::readiness("/ready").full_details_for(&tokens))
    });
    let warnings: Vec<_> = service.health.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "a bearer token of the endpoint /ready has only 5 characters; use a random one of at least 16"
        ]
    );
}

#[test]
fn the_lines_say_that_a_message_is_withheld_only_if_there_is_one() {
    struct Two;
    #[async_trait]
    impl HealthSubscriber for Two {
        async fn on_health_check(&self, event: &mut HealthCheckEvent) {
            event.report("said", "ERROR", Some(SECRET));
            event.report("silent", "ERROR", None);
        }
    }
    let service = Service::new(|builder, _, _| {
        builder
            .register(Check::subscriber("two", Two))
            .endpoint(Endpoint::readiness("/states").details(DetailLevel::States))
            .endpoint(Endpoint::readiness("/full").details(DetailLevel::Full))
    });
    for (target, said) in [("/states?verbose", "reason withheld"), ("/full?verbose", SECRET)] {
        let response = service.get(target, &[]);
        let body = response.body();
        assert!(body.contains(&format!("[-]two/said failed: {said} (reference ")), "{body}");
        assert!(body.contains("[-]two/silent failed: no reason given (reference "), "{body}");
    }
}
