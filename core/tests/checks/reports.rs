//! The results of checks: concurrent, in order, and complete even if a check panics.

use std::fmt;
use std::future::{Future, Ready, poll_fn, ready};
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures::channel::oneshot;
use futures::executor::block_on;
use futures::lock::Mutex;
use health_core::{
    Check, Health, HealthBuilder, HealthCheckEvent, HealthConfig, HealthSubscriber, LogLevel,
    Status, async_trait,
};

use crate::{builder, result, results};

/// Registers the check of `builder` between two that pass, and expects only its result to be an ERROR.
fn expect_contained(
    add: impl FnOnce(HealthBuilder) -> HealthBuilder,
    name: &str,
    message: Option<&str>,
) {
    let ok = || ready(Ok::<(), String>(()));
    let health = add(builder().check("before", ok)).check("after", ok).build().unwrap();
    // Repeatedly: a broken check must not affect later runs.
    for _ in 0..2 {
        assert_eq!(
            results(&health),
            [
                result("before", "OK", None),
                result(name, "ERROR", message),
                result("after", "OK", None),
            ]
        );
    }
}

struct PanicsInPoll;

impl Future for PanicsInPoll {
    type Output = Result<(), String>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        panic!("in poll")
    }
}

#[derive(Debug)]
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

impl Future for PanicsInDrop {
    type Output = Result<(), String>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Debug)]
struct Undisplayable;

impl fmt::Display for Undisplayable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in display")
    }
}

impl std::error::Error for Undisplayable {}

#[test]
fn a_panic_when_the_closure_is_called_is_that_checks_error() {
    let check = || -> Ready<Result<(), String>> { panic!("in call") };
    expect_contained(|b| b.check("bad", check), "bad", Some("panicked: in call"));
}

#[test]
fn a_panic_when_the_future_is_polled_is_that_checks_error() {
    let check = || PanicsInPoll;
    expect_contained(|b| b.check("bad", check), "bad", Some("panicked: in poll"));
}

#[test]
fn a_panic_in_the_display_of_the_error_is_that_checks_error() {
    let check = || ready(Err::<(), _>(Undisplayable));
    let message = Some("panicked: in display");
    expect_contained(|b| b.check("bad", check), "bad", message);
}

#[test]
fn a_panic_in_the_drop_of_the_panic_payload_is_that_checks_error() {
    let check = || async {
        panic_any(PanicsInDrop);
        #[expect(unreachable_code, reason = "gives the closure its return type")]
        Ok::<(), String>(())
    };
    expect_contained(|b| b.check("bad", check), "bad", Some("panicked"));
}

#[test]
fn a_panic_in_the_drop_of_the_future_is_that_checks_error() {
    let check = || PanicsInDrop;
    expect_contained(|b| b.check("bad", check), "bad", Some("panicked: in drop"));
}

#[test]
fn a_panic_in_the_drop_of_the_error_is_that_checks_only_error() {
    #[derive(Debug)]
    struct Undroppable(PanicsInDrop);
    impl std::error::Error for Undroppable {}
    impl fmt::Display for Undroppable {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("connection refused")
        }
    }
    let check = || ready(Err::<(), _>(Undroppable(PanicsInDrop)));
    expect_contained(|b| b.check("bad", check), "bad", Some("panicked: in drop"));
}

#[test]
fn a_subscriber_can_be_boxed_or_shared() {
    struct Silent;
    #[async_trait]
    impl HealthSubscriber for Silent {
        async fn on_health_check(&self, event: &mut HealthCheckEvent) {
            event.report("silent", "ERROR", None);
        }
    }
    let boxed: Box<dyn HealthSubscriber> = Box::new(Silent);
    let shared = Arc::new(Silent);
    let health = builder()
        .register(Check::subscriber("boxed", boxed))
        .register(Check::subscriber("shared", shared.clone()))
        .build()
        .unwrap();
    assert_eq!(results(&health), vec![result("silent", "ERROR", None); 2]);
}

#[test]
fn a_panic_of_a_subscriber_is_an_error_under_its_name_and_keeps_what_it_reported() {
    fn replicas(event: &mut HealthCheckEvent) {
        event.report("replica-a", Status::Ok, None);
        panic!("replica-b is unknown");
    }
    let health = builder().register(Check::event("replicas", replicas)).build().unwrap();
    let results = results(&health);
    assert_eq!(results[0], result("replica-a", "OK", None));
    let panicked = Some("panicked: replica-b is unknown");
    assert_eq!(results[1], result("replicas", "ERROR", panicked));
}

#[test]
fn a_panic_before_a_subscriber_returns_its_future_is_its_error() {
    struct Broken;
    impl HealthSubscriber for Broken {
        fn on_health_check<'a, 'b, 'c>(
            &'a self,
            _: &'b mut HealthCheckEvent,
        ) -> Pin<Box<dyn Future<Output = ()> + Send + 'c>>
        where
            'a: 'c,
            'b: 'c,
            Self: 'c,
        {
            panic!("no future")
        }
    }
    let broken = Check::subscriber("broken", Broken);
    expect_contained(|b| b.register(broken), "broken", Some("panicked: no future"));
}

#[test]
fn a_failure_is_reported_with_the_text_of_its_error_and_its_causes() {
    fn failed<E>(error: fn() -> E) -> Check
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
    {
        Check::new("bad", move || ready(Err::<(), _>(error())))
    }
    let expect = |check, message| {
        expect_contained(|b| b.register(check), "bad", Some(message));
    };
    expect(failed(|| "connection refused"), "connection refused");
    expect(failed(|| "87 jobs".to_owned()), "87 jobs");
    let refused = || std::io::Error::other("connection refused");
    expect(failed(refused), "connection refused");
    let boxed = || -> Box<dyn std::error::Error + Send + Sync> { "no such table".into() };
    expect(failed(boxed), "no such table");
    let with_causes = || {
        let cause = "x".parse::<u8>().unwrap_err();
        Caused("read settings", Box::new(Caused("port", Box::new(cause))))
    };
    expect(failed(with_causes), "read settings: port: invalid digit found in string");
}

/// An error with a cause, as `anyhow::Context` makes one.
#[derive(Debug)]
struct Caused(&'static str, Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for Caused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Caused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.1)
    }
}

#[test]
fn a_check_with_state_gets_a_clone_each_time() {
    let pool = Arc::new("pool");
    let check = Check::with("bad", pool.clone(), |pool| async move {
        Err::<(), _>(format!("{pool} with {} owners", Arc::strong_count(&pool)))
    });
    // One of the test, one of the check, one of the execution.
    let health = builder().register(check).build().unwrap();
    for _ in 0..2 {
        let message = Some("pool with 3 owners");
        assert_eq!(results(&health), [result("bad", "ERROR", message)]);
    }
}

/// Each check waits for the other, so running them one after the other would never end.
#[test]
fn checks_of_one_request_run_side_by_side() {
    let (to_second, from_first) = oneshot::channel::<()>();
    let (to_first, from_second) = oneshot::channel::<()>();
    let rendezvous = |send, receive| {
        let ends = Arc::new(Mutex::new(Some((send, receive))));
        move || {
            let ends = ends.clone();
            async move {
                let (send, receive): (oneshot::Sender<()>, oneshot::Receiver<()>) =
                    ends.lock().await.take().ok_or("asked twice")?;
                send.send(()).map_err(|()| "the other is gone")?;
                receive.await.map_err(|_| "the other was dropped")
            }
        }
    };
    let health = builder()
        .check("first", rendezvous(to_second, from_second))
        .check("second", rendezvous(to_first, from_first))
        .build()
        .unwrap();
    assert_eq!(results(&health), []);
}

/// The last registered check finishes first, and then releases the one before it.
#[test]
fn results_stand_in_registration_order_whatever_finished_first() {
    const COUNT: usize = 100;
    let mut builder = builder();
    let finished = Arc::new(AtomicUsize::new(0));
    for index in 0..COUNT {
        let finished = finished.clone();
        builder = builder.check(format!("check-{index:03}"), move || {
            let finished = finished.clone();
            async move {
                while finished.load(Ordering::SeqCst) < COUNT - 1 - index {
                    let_others_run().await;
                }
                finished.fetch_add(1, Ordering::SeqCst);
                Err::<(), _>(index.to_string())
            }
        });
    }
    let health = builder.build().unwrap();
    let expected: Vec<_> = (0..COUNT)
        .map(|index| result(&format!("check-{index:03}"), "ERROR", Some(&index.to_string())))
        .collect();
    assert_eq!(results(&health), expected);
}

async fn let_others_run() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn a_subscriber_reports_any_number_of_results_or_none() {
    struct Replicas;
    #[async_trait]
    impl HealthSubscriber for Replicas {
        async fn on_health_check(&self, event: &mut HealthCheckEvent) {
            ready(()).await;
            event.report("replica", "OK", None);
            event.report("replica", "down", Some("no route"));
        }
    }
    let silent = builder().register(Check::event("silent", |_event| {})).build().unwrap();
    assert_eq!(results(&silent), []);

    let health = builder()
        .register(Check::event("silent", |_event| {}))
        .register(Check::subscriber("replicas", Replicas))
        .register(Check::event("disk", |event| event.report("disk", Status::Ok, Some("61 % used"))))
        .build()
        .unwrap();
    assert_eq!(
        results(&health),
        [
            result("replica", "OK", None),
            result("replica", "ERROR", Some("no route")),
            result("disk", "OK", Some("61 % used")),
        ]
    );
}

#[test]
fn a_subscriber_may_report_the_name_of_a_check() {
    let health = builder()
        .check("database", || ready(Ok::<(), String>(())))
        .register(Check::event("first", |event| event.report("database", "OK", None)))
        .register(Check::event("second", |event| event.report("database", "OK", None)))
        .build();
    assert!(health.is_ok());
}

#[test]
fn an_endpoint_shows_its_settings_warnings_and_checks() {
    let config = HealthConfig::from_variables([
        ("HEALTHCHECK_DISABLEFILE".into(), "".into()),
        ("HEALTHCHECK_INTERVAL".into(), "30s".into()),
    ])
    .unwrap();
    let health = Health::builder()
        .config(config.clone())
        .check("database", || ready(Ok::<(), String>(())))
        .build()
        .unwrap();
    assert_eq!(health.config(), &config);
    let [warning] = health.warnings() else {
        panic!("{:?}", health.warnings());
    };
    assert_eq!(warning.level(), LogLevel::Warn);
    assert!(warning.text().contains("HEALTHCHECK_INTERVAL"));
    assert!(format!("{health:?}").contains("database"));
}

#[test]
fn clones_are_one_endpoint() {
    // A path below a file cannot be looked up, which logs one warning per episode.
    let config = HealthConfig::default().with_disablefile("Cargo.toml/maintenance");
    let health = Health::builder().config(config).build().unwrap();
    let warnings = |health: &Health| block_on(health.answer("")).records().count();
    assert_eq!(warnings(&health.clone()), 1);
    assert_eq!(warnings(&health), 0);
}

#[test]
fn the_answer_can_be_awaited_on_any_thread() {
    fn is_send(_: &impl Send) {}
    let health = builder().build().unwrap();
    is_send(&health.respond(""));
    is_send(&health.answer(""));
}
