//! Metrics through the facade of the crate `metrics`.

use std::collections::BTreeMap;
use std::time::Duration;

use health_core::{CheckResult, Endpoint, StartupLatch};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

use crate::service::{SECRET, Service};

/// A service whose recorder remembers everything.
fn published(latch: &StartupLatch) -> (Service, Snapshotter) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let service = metrics::with_local_recorder(&recorder, || {
        Service::new(|builder, results, time| {
            builder
                .register(results.check(time, "database"))
                .latch(latch)
                .service(SECRET, SECRET)
                .endpoint(Endpoint::readiness("/ready"))
                .endpoint(Endpoint::metrics("/metrics"))
                .metrics_facade()
        })
    });
    (service, snapshotter)
}

/// The numbers of all series by name and labels; of a histogram, all that were recorded since the last look.
fn series(snapshotter: &Snapshotter) -> BTreeMap<String, Vec<f64>> {
    let all = snapshotter.snapshot().into_vec().into_iter();
    let series = all.map(|(key, _, _, value)| {
        let labels: Vec<_> = key
            .key()
            .labels()
            .map(|label| format!("{}=\"{}\"", label.key(), label.value()))
            .collect();
        let labels = match labels.join(",") {
            labels if labels.is_empty() => labels,
            labels => format!("{{{labels}}}"),
        };
        let numbers = match value {
            DebugValue::Counter(count) => vec![count as f64],
            DebugValue::Gauge(number) => vec![number.0],
            DebugValue::Histogram(numbers) => numbers.into_iter().map(|number| number.0).collect(),
        };
        (format!("{}{labels}", key.key().name()), numbers)
    });
    series.collect()
}

#[test]
fn a_recorder_gets_the_series_and_the_numbers_of_a_scrape() {
    let latch = StartupLatch::new("cache");
    let (service, snapshotter) = published(&latch);
    latch.release();
    service.get("/ready", &[]);
    service.set("database", 3, CheckResult::error(SECRET));
    service.get("/ready", &[]);
    service.health.drain();
    service.get("/ready", &[]);
    let _active = service.health.track();
    service.pass(1.0);
    let mut published = series(&snapshotter);
    let durations = published.remove(r#"health_check_duration_seconds{name="database"}"#);
    assert_eq!(durations, Some(vec![0.002, 0.003]));
    let scrape = service.get("/metrics", &[]);
    let samples = scrape.body().lines().filter(|line| !line.starts_with('#'));
    let shown: BTreeMap<_, _> = samples
        .filter(|line| !line.starts_with("health_check_duration_seconds"))
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(series, number)| (series.to_owned(), vec![number.parse().unwrap()]))
        .collect();
    assert_eq!(published, shown);
    assert!(!format!("{published:?}").contains(SECRET));
}

#[test]
fn every_series_is_described_once_and_exists_from_the_build_on() {
    let latch = StartupLatch::new("cache");
    let (_service, snapshotter) = published(&latch);
    let all = snapshotter.snapshot().into_vec();
    assert_eq!(all.len(), 2 * 2 * 6 + 2 * 3 + 3 + 1 + 3);
    for (key, unit, description, _) in all {
        let name = key.key().name();
        assert!(description.is_some_and(|text| text.ends_with('.')), "{name}");
        assert_eq!(unit.is_some(), name.ends_with("_seconds"), "{name}");
    }
}

#[test]
fn a_state_is_published_when_it_changes_and_a_response_within_the_interval() {
    let latch = StartupLatch::new("cache");
    let (service, snapshotter) = published(&latch);
    let number = |series_name: &str| series(&snapshotter)[series_name][0];
    let starting = r#"health_state{endpoint="/ready",state="starting"}"#;
    assert_eq!(number(starting), 1.0);
    latch.release();
    assert_eq!(number(starting), 0.0);
    let responses = r#"health_responses_total{endpoint="/ready",state="draining"}"#;
    service.health.drain();
    service.get("/ready", &[]);
    service.time.pass(Duration::from_secs(1));
    assert_eq!(number(responses), 1.0);
}

#[test]
fn a_recorder_that_panics_harms_no_response() {
    struct Panics;
    impl metrics::Recorder for Panics {
        fn describe_counter(
            &self,
            _: metrics::KeyName,
            _: Option<metrics::Unit>,
            _: metrics::SharedString,
        ) {
        }
        fn describe_gauge(
            &self,
            _: metrics::KeyName,
            _: Option<metrics::Unit>,
            _: metrics::SharedString,
        ) {
        }
        fn describe_histogram(
            &self,
            _: metrics::KeyName,
            _: Option<metrics::Unit>,
            _: metrics::SharedString,
        ) {
        }
        fn register_counter(
            &self,
            _: &metrics::Key,
            _: &metrics::Metadata<'_>,
        ) -> metrics::Counter {
            metrics::Counter::from_arc(std::sync::Arc::new(Self))
        }
        fn register_gauge(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
            metrics::Gauge::noop()
        }
        fn register_histogram(
            &self,
            _: &metrics::Key,
            _: &metrics::Metadata<'_>,
        ) -> metrics::Histogram {
            metrics::Histogram::from_arc(std::sync::Arc::new(Self))
        }
    }
    impl metrics::CounterFn for Panics {
        fn increment(&self, _: u64) {}
        fn absolute(&self, value: u64) {
            assert_eq!(value, 0, "a panic of the recorder");
        }
    }
    impl metrics::HistogramFn for Panics {
        fn record(&self, _: f64) {
            panic!("a panic of the recorder");
        }
    }

    let service = metrics::with_local_recorder(&Panics, || {
        Service::new(|builder, results, time| {
            builder
                .register(results.check(time, "database"))
                .endpoint(Endpoint::readiness("/ready"))
                .metrics_facade()
        })
    });
    for _ in 0..3 {
        assert_eq!(service.get("/ready", &[]).body(), "OK");
        service.pass(1.0);
    }
}
