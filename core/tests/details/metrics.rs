//! Metrics, as a scrape gets them.

use std::time::Duration;

use health_core::{
    BearerTokens, BuildError, Check, CheckResult, DetailLevel, Endpoint, RunChecks, StartupLatch,
    State, StatusCode, Unit,
};

use crate::service::{SECRET, Service, header};

const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0";

fn scrape(service: &Service) -> String {
    let response = service.get("/metrics", &[]);
    assert_eq!(response.status(), 200);
    response.body().to_owned()
}

/// The numbers of the series whose name and labels begin like this.
fn numbers(scrape: &str, series: &str) -> Vec<f64> {
    let lines = scrape.lines().filter(|line| line.starts_with(series));
    lines.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap()).collect()
}

fn number(scrape: &str, series: &str) -> f64 {
    let numbers = numbers(scrape, series);
    assert_eq!(numbers.len(), 1, "{series}: {scrape}");
    numbers[0]
}

/// A readiness endpoint with two checks and a latch, and an endpoint of metrics.
fn shop() -> (Service, StartupLatch) {
    let latch = StartupLatch::new("cache");
    let service = Service::new(|builder, results, time| {
        builder
            .register(results.check(time, "database"))
            .register(results.check(time, "mail").optional())
            .latch(&latch)
            .service("shop", "1.4.2")
            .endpoint(Endpoint::readiness("/ready"))
            .endpoint(Endpoint::metrics("/metrics").details(DetailLevel::Full))
    });
    (service, latch)
}

#[test]
fn both_formats_show_every_series() {
    let (service, latch) = shop();
    latch.release();
    service.pass(1.0);
    service.get("/ready", &[]);
    let failure = CheckResult::error("no route").reason("refused");
    service.set("database", 3, failure.value("used", 0.75, Unit::Ratio));
    service.get("/ready", &[]);
    service.get("/health", &[]);
    service.pass(1.0);
    for (format, file) in [
        ("prometheus", include_str!("metrics/prometheus.txt")),
        ("openmetrics", include_str!("metrics/openmetrics.txt")),
    ] {
        let response = service.get(&format!("/metrics?format={format}"), &[]);
        assert_eq!(response.body(), file, "{format}");
    }
}

#[test]
fn every_series_exists_from_the_build_on() {
    let (service, latch) = shop();
    let series = |scrape: &str| -> Vec<String> {
        let samples = scrape.lines().filter(|line| !line.starts_with('#'));
        samples.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    let first = scrape(&service);
    for name in ["health_check{", "health_responses_total{", "health_check_duration_seconds_"] {
        assert!(numbers(&first, name).iter().all(|number| *number == 0.0), "{first}");
    }
    assert_eq!(number(&first, "health_latch_released{name=\"cache\"}"), 0.0);
    latch.release();
    service.get("/ready", &[]);
    service.health.drain();
    service.get("/ready", &[]);
    assert_eq!(series(&scrape(&service)), series(&first));
}

#[test]
fn the_request_chooses_the_format() {
    let (service, _latch) = shop();
    const PROMETHEUS_2: &str = "application/openmetrics-text;version=1.0.0,\
        application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
        application/openmetrics-text;version=0.0.1;q=0.5,\
        text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let open = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let prometheus = "text/plain; version=0.0.4; charset=utf-8";
    for (target, accept, content_type) in [
        ("/metrics", None, prometheus),
        ("/metrics", Some("*/*"), prometheus),
        ("/metrics", Some("text/plain"), prometheus),
        ("/metrics", Some("text/plain;version=0.0.4"), prometheus),
        ("/metrics", Some("application/json"), prometheus),
        ("/metrics", Some(PROMETHEUS_2), open),
        ("/metrics", Some(PROMETHEUS_3), open),
        ("/metrics", Some("application/openmetrics-text"), open),
        ("/metrics?format=openmetrics", None, open),
        ("/metrics?format=prometheus", Some(OPEN_METRICS), prometheus),
        ("/metrics?format=json", Some(OPEN_METRICS), open),
        ("/metrics?format=text", None, prometheus),
    ] {
        let headers: Vec<_> = accept.map(|accept| ("Accept", accept)).into_iter().collect();
        let response = service.get(target, &headers);
        assert_eq!(header(&response, "content-type").as_deref(), Some(content_type), "{accept:?}");
        assert_eq!(header(&response, "vary").as_deref(), Some("accept"));
        let is_open = response.body().ends_with("\n# EOF\n");
        assert_eq!(is_open, content_type == open);
    }
}

#[test]
fn an_endpoint_with_details_shows_its_own_series_with_its_own_code() {
    let service = Service::new(|builder, results, time| {
        builder
            .register(results.check(time, "database"))
            .register(results.check(time, "mail"))
            .endpoint(Endpoint::liveness("/live"))
            .endpoint(
                Endpoint::readiness("/ready")
                    .only_checks(["database"])
                    .details(DetailLevel::States),
            )
    });
    service.set("database", 1, CheckResult::error("down"));
    let response = service.get("/ready", &[("Accept", OPEN_METRICS)]);
    assert_eq!(response.status(), 503);
    assert!(response.body().contains(r#"health_check{name="database",status="error"} 1"#));
    assert!(!response.body().contains("mail") && !response.body().contains("/live"));
    for accept in ["*/*", "text/plain"] {
        assert_eq!(service.get("/ready", &[("Accept", accept)]).body(), "ERROR");
    }
    let response = service.get("/ready", &[("Accept", "text/plain;version=0.0.4")]);
    assert!(response.body().contains("# TYPE health_state gauge"));
    let response = service.get("/live", &[("Accept", OPEN_METRICS)]);
    assert_eq!(response.body(), "OK", "it has no details");
}

#[test]
fn a_scrape_runs_no_check_and_succeeds_in_every_state() {
    let (service, latch) = shop();
    let state = |state: &str| {
        let scrape = scrape(&service);
        let shown = format!("health_state{{endpoint=\"/ready\",state=\"{state}\"}}");
        assert_eq!(number(&scrape, &shown), 1.0, "{scrape}");
        let all = numbers(&scrape, "health_state{endpoint=\"/ready\"");
        assert_eq!(all.iter().sum::<f64>(), 1.0);
        scrape
    };
    service.pass(1.0);
    state("starting");
    latch.release();
    state("ok");
    service.health.maintenance_switch().turn_on();
    state("maintenance");
    service.health.drain();
    let scrape = state("draining");
    assert_eq!(number(&scrape, "health_draining"), 1.0);
    assert_eq!(numbers(&scrape, "health_check_results_total"), [0.0; 6]);
}

#[test]
fn counters_count_executions_before_thresholds_and_responses_by_state() {
    let service = Service::new(|builder, results, time| {
        let database = results.check(time, "database").failure_threshold(2);
        builder
            .register(database.timeout(Duration::from_secs(2)))
            .endpoint(Endpoint::readiness("/ready"))
            .endpoint(Endpoint::metrics("/metrics"))
    });
    let last_success = "health_check_last_success_timestamp_seconds";
    assert_eq!(number(&scrape(&service), last_success), 0.0);
    service.get("/ready", &[]);
    let succeeded = number(&scrape(&service), last_success);
    assert_eq!(succeeded, 1_767_225_600.002);
    service.set("database", 1, CheckResult::error("down"));
    assert_eq!(service.get("/ready", &[]).state(), State::Ok);
    service.set("database", 5000, CheckResult::ok());
    assert_eq!(service.get("/ready", &[]).state(), State::Failing);
    let scrape = scrape(&service);
    assert_eq!(numbers(&scrape, "health_check_results_total"), [1.0, 0.0, 2.0]);
    assert_eq!(number(&scrape, "health_check_timeouts_total"), 1.0);
    assert_eq!(number(&scrape, last_success), succeeded);
    assert_eq!(numbers(&scrape, "health_check{"), [0.0, 0.0, 1.0]);
    let buckets = numbers(&scrape, "health_check_duration_seconds_bucket");
    assert_eq!(buckets, [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0]);
    assert_eq!(number(&scrape, "health_check_duration_seconds_sum"), 2.003);
    let responses = numbers(&scrape, "health_responses_total{endpoint=\"/ready\"");
    assert_eq!(responses, [2.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    assert!(!scrape.contains("endpoint=\"/metrics\""));
}

#[test]
fn a_degraded_check_has_succeeded() {
    let (service, latch) = shop();
    latch.release();
    service.set("mail", 2, CheckResult::degraded("slow"));
    service.get("/ready", &[]);
    let scrape = scrape(&service);
    assert_eq!(numbers(&scrape, "health_check{name=\"mail\""), [0.0, 1.0, 0.0]);
    let last_success = "health_check_last_success_timestamp_seconds{name=\"mail\"}";
    assert_eq!(number(&scrape, last_success), 1_767_225_600.002);
}

#[test]
fn requests_that_join_a_run_are_counted() {
    let (service, latch) = shop();
    latch.release();
    service.set("database", 100, CheckResult::ok());
    let [first, second, third] = [(); 3].map(|()| service.health.at("/ready").unwrap());
    service.wait(async move {
        let responses = [first.respond(""), second.respond(""), third.respond("")];
        futures::future::join_all(responses).await;
    });
    assert_eq!(number(&scrape(&service), "health_runs_shared_total"), 2.0);
}

#[test]
fn a_scrape_responds_at_once_while_1000_checks_are_stuck() {
    let service = Service::new(|mut builder, results, time| {
        for index in 0..1000 {
            let name: &'static str = format!("check-{index}").leak();
            builder = builder.register(results.check(time, name));
        }
        builder.endpoint(Endpoint::readiness("/ready")).endpoint(Endpoint::metrics("/metrics"))
    });
    for index in 0..1000 {
        service.set(format!("check-{index}").leak(), 1_000_000, CheckResult::ok());
    }
    let ready = service.health.at("/ready").unwrap();
    service.spawn(async move {
        ready.respond("").await;
    });
    let before = service.now();
    assert_eq!(numbers(&scrape(&service), "health_check_results_total"), [0.0; 3000]);
    assert_eq!(service.now(), before);
    service.pass(6.0);
    let stuck = scrape(&service);
    assert_eq!(numbers(&stuck, "health_check_timeouts_total"), [1.0; 1000]);
}

#[test]
fn active_requests_are_shown() {
    let (service, _latch) = shop();
    let _active = [service.health.track(), service.health.track()];
    assert_eq!(number(&scrape(&service), "health_active_requests"), 2.0);
}

#[test]
fn names_are_escaped_in_both_formats() {
    let longest = "n".repeat(128);
    let names = [r#"a "quoted" \name\"#, "データベース", "Ünïcode", &longest];
    let service = Service::new(|mut builder, _, _| {
        for name in names {
            builder = builder.check(name, || async { Ok::<(), String>(()) });
        }
        builder
            .service("the\n\"shop\"", "1\\4")
            .endpoint(Endpoint::metrics("/metrics").details(DetailLevel::Full))
    });
    for format in ["prometheus", "openmetrics"] {
        let response = service.get(&format!("/metrics?format={format}"), &[]);
        let body = response.body();
        for name in [r#"a \"quoted\" \\name\\"#, names[1], names[2], names[3]] {
            let series = format!("health_check_timeouts_total{{name=\"{name}\"}}");
            assert_eq!(number(body, &series), 0.0);
        }
        let info = r#"health_build_info{name="the\n\"shop\"",version="1\\4"} 1"#;
        assert!(body.lines().any(|line| line == info), "{body}");
    }
}

#[test]
fn only_the_full_level_shows_values_and_the_version() {
    let token = "Bearer c3VjaCBhIHNlY3JldA==";
    let tokens = BearerTokens::new(["c3VjaCBhIHNlY3JldA=="]).unwrap();
    let latch = StartupLatch::new("cache");
    let service = Service::new(|builder, results, time| {
        let database = results.check(time, "database").description(SECRET).owner(SECRET);
        let disks = Check::subscriber("disks", Disks);
        builder
            .register(database.runbook(format!("https://example.com/{SECRET}")))
            .register(disks)
            .latch(&latch)
            .service(SECRET, SECRET)
            .endpoint(Endpoint::readiness("/ready").ignore(State::Starting))
            .endpoint(Endpoint::metrics("/metrics").full_details_for(&tokens))
            .endpoint(
                Endpoint::metrics("/private").details(DetailLevel::None).full_details_for(&tokens),
            )
    });
    let failure = CheckResult::error(SECRET).reason("refused");
    service.set("database", 1, failure.value("hunter2", 4711.0, Unit::Bytes));
    latch.fail(SECRET);
    service.get("/ready", &[]);
    for accept in ["*/*", OPEN_METRICS] {
        let accept = ("Accept", accept);
        for target in ["/metrics", "/private"] {
            for secret in ["hunter2", "4711", "refused", "dynamic", "free"] {
                let body = service.get(target, &[accept]).body().to_owned();
                assert!(!body.contains(secret), "{body}");
            }
            let full = service.get(target, &[accept, ("Authorization", token)]);
            let body = full.body();
            let value = r#"health_check_value{check="database",name="hunter2",unit="bytes"}"#;
            assert_eq!(number(body, value), 4711.0);
            let value = r#"health_check_value{check="disks",name="free",unit="bytes"}"#;
            assert_eq!(numbers(body, value), [0.0; 0], "no label tells the two disks apart");
            assert!(!body.contains("dynamic") && !body.contains("refused"), "{body}");
        }
        assert_eq!(service.get("/private", &[accept]).body(), "OK");
    }
}

/// Reports two results, whose names no description knows.
struct Disks;

#[health_core::async_trait]
impl health_core::HealthSubscriber for Disks {
    async fn on_health_check(&self, event: &mut health_core::HealthCheckEvent) {
        for (name, free) in [("dynamic-1", 1.0), ("dynamic-2", 2.0)] {
            event.result(name, CheckResult::ok().value("free", free, Unit::Bytes));
        }
    }
}

#[test]
fn what_has_no_effect_on_metrics_is_an_error() {
    let metrics = || Endpoint::metrics("/metrics");
    for (endpoint, call) in [
        (metrics().run_checks(RunChecks::Always), "run_checks"),
        (metrics().only_checks(["database"]), "only_checks"),
        (metrics().all_checks(), "all_checks"),
        (metrics().recovery_delay(Duration::from_secs(1)), "recovery_delay"),
        (metrics().retry_after(Duration::from_secs(1)), "retry_after"),
        (
            metrics().respond_with(
                State::Maintenance,
                StatusCode::SERVICE_UNAVAILABLE,
                health_core::Body::Maintenance,
            ),
            "respond_with",
        ),
        (metrics().allow_failing_code(StatusCode::OK), "respond_with"),
        (metrics().details(DetailLevel::None), "details"),
    ] {
        let built = health_core::Health::builder()
            .check("database", || async { Ok::<(), String>(()) })
            .endpoint(endpoint)
            .build();
        match built {
            Err(BuildError::NoEffect { path, call: refused, .. }) => {
                assert_eq!((path.as_str(), refused), ("/metrics", call));
            }
            other => panic!("{call}: {other:?}"),
        }
    }
}

#[test]
fn the_path_of_a_single_check_is_no_label() {
    let service = Service::new(|builder, results, time| {
        builder
            .register(results.check(time, "database"))
            .register(results.check(time, "mail"))
            .endpoint(Endpoint::readiness("/ready").details(DetailLevel::States).check_paths())
            .endpoint(Endpoint::metrics("/metrics"))
    });
    service.get("/ready/database", &[]);
    assert!(!scrape(&service).contains("/ready/"));
    let response = service.get("/ready/database", &[("Accept", OPEN_METRICS)]);
    assert_eq!(numbers(response.body(), "health_check{name=\"database\""), [1.0, 0.0, 0.0]);
    assert!(!response.body().contains("endpoint") && !response.body().contains("mail"));
}
