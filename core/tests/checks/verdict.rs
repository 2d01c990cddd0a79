//! The verdict on several checks: optional checks (H13) and thresholds (H15).

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use health_core::{Check, HealthCheckEvent};

use crate::virtual_time::Ask as _;
use crate::{in_virtual_time, result};

fn failing(name: &str) -> Check {
    Check::new(name, || ready(Err::<(), _>("no route")))
}

fn passing(name: &str) -> Check {
    Check::new(name, || ready(Ok::<(), String>(())))
}

#[test]
fn a_failure_of_an_optional_check_is_a_warning_and_the_answer_is_ok() {
    let (health, time) =
        in_virtual_time(|b| b.register(failing("search").optional()).register(passing("database")));
    let asker = time.ask(&health);
    assert_eq!(asker.body(), "OK");
    assert_eq!(
        asker.results(),
        [result("search", "ERROR", Some("no route")), result("database", "OK", None)]
    );
}

#[test]
fn an_optional_check_excuses_no_other() {
    let (health, time) =
        in_virtual_time(|b| b.register(failing("search").optional()).register(failing("database")));
    assert_eq!(time.ask(&health).body(), "ERROR");
}

#[test]
fn an_optional_check_may_hang_or_panic() {
    let (health, time) = in_virtual_time(|b| {
        let panics = || -> std::future::Ready<Result<(), String>> { panic!("gone") };
        b.register(Check::new("hangs", pending::<Result<(), String>>).optional())
            .register(Check::new("panics", panics).optional())
    });
    let asker = time.ask(&health);
    time.pass(Duration::from_secs(5));
    assert_eq!(asker.body(), "OK");
    assert_eq!(
        asker.results(),
        [
            result("hangs", "ERROR", Some("timed out after 5s")),
            result("panics", "ERROR", Some("panicked: gone")),
        ]
    );
}

#[test]
fn thresholds_count_results_across_runs() {
    // Fails the second and third time, then passes.
    let executions = AtomicUsize::new(0);
    let check = Check::new("flaky", move || {
        let failing = (1..=2).contains(&executions.fetch_add(1, Ordering::SeqCst));
        ready(if failing { Err("no route") } else { Ok(()) })
    });
    let (health, time) =
        in_virtual_time(|b| b.register(check.failure_threshold(2).success_threshold(2)));
    let bodies: Vec<_> = (0..5).map(|_| time.ask(&health).body()).collect();
    assert_eq!(bodies, ["OK", "OK", "ERROR", "ERROR", "OK"]);
}

#[test]
fn what_was_never_ok_is_failing_at_once() {
    let (health, time) = in_virtual_time(|b| b.register(failing("database").failure_threshold(10)));
    assert_eq!(time.ask(&health).body(), "ERROR");
}

#[test]
fn a_shared_run_counts_once() {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let check = Check::new("database", move || {
        let is_first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if !is_first {
                pending::<()>().await;
            }
            Ok::<(), String>(())
        }
    });
    let (health, time) = in_virtual_time(|b| b.register(check.failure_threshold(2)));
    assert_eq!(time.ask(&health).body(), "OK");
    let askers: Vec<_> = (0..10).map(|_| time.ask(&health)).collect();
    time.pass(Duration::from_secs(5));
    assert!(askers.iter().all(|asker| asker.body() == "OK"));
}

#[test]
fn the_results_of_a_subscriber_count_together() {
    let executions = AtomicUsize::new(0);
    let replicas = move |event: &mut HealthCheckEvent| {
        let is_first = executions.fetch_add(1, Ordering::SeqCst) == 0;
        event.report("replica-a", "OK", None);
        event.report("replica-b", if is_first { "OK" } else { "ERROR" }, Some("lag"));
    };
    struct Closure<F>(F);
    #[health_core::async_trait]
    impl<F: Fn(&mut HealthCheckEvent) + Send + Sync + 'static> health_core::HealthSubscriber
        for Closure<F>
    {
        async fn on_health_check(&self, event: &mut HealthCheckEvent) {
            (self.0)(event);
        }
    }
    let check = Check::subscriber("replicas", Closure(replicas)).failure_threshold(2);
    let (health, time) = in_virtual_time(|b| b.register(check));
    let bodies: Vec<_> = (0..3).map(|_| time.ask(&health).body()).collect();
    assert_eq!(bodies, ["OK", "OK", "ERROR"]);
}
