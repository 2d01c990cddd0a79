//! Checks that talk through tokio.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

use std::future::pending;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use futures::executor::block_on;
use health_core::{Check, Health, HealthBuilder, HealthConfig};
use tokio::runtime::{Builder, Runtime};

fn built(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> Health {
    let config = HealthConfig::default().with_disablefile("");
    describe(Health::builder().config(config)).build().unwrap()
}

/// Needs a runtime, its timer and its tasks.
async fn sleeps() -> Result<(), String> {
    let sleep = tokio::spawn(tokio::time::sleep(Duration::from_millis(1)));
    sleep.await.map_err(|error| error.to_string())
}

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_check_finds_the_runtime_of_whoever_asks() {
    let several = Builder::new_multi_thread().enable_all().build().unwrap();
    let health = built(|b| b.check("sleeps", sleeps));
    // EndpointHandle before there is a runtime.
    health.start_on_tokio();
    for runtime in [single(), several] {
        let answer = runtime.block_on(health.respond("checks=all"));
        assert_eq!(answer.body(), "OK");
    }
}

#[test]
fn a_background_check_finds_the_runtime_in_which_it_was_started() {
    let (start, started) = channel();
    let start = Mutex::new(start);
    let check = Check::new("sleeps", move || {
        let start = start.lock().unwrap().clone();
        async move {
            sleeps().await?;
            start.send(()).map_err(|error| error.to_string())
        }
    });
    let health = built(|b| b.register(check.every(Duration::from_secs(60))));
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async { health.start_on_tokio() });
    started.recv().unwrap();
}

#[test]
fn background_checks_that_would_miss_their_runtime_wait_for_the_first_request() {
    let (start, started) = channel();
    let start = Mutex::new(start);
    let check = Check::new("sleeps", move || {
        let result = match tokio::runtime::Handle::try_current() {
            Ok(_) => start
                .lock()
                .unwrap()
                .send(())
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        async { result }
    });
    let health = built(|b| b.register(check.every(Duration::from_secs(60))));
    health.start_on_tokio();
    assert!(started.try_recv().is_err());
    let runtime = single();
    runtime.block_on(health.respond(""));
    started.recv().unwrap();
}

#[test]
fn a_deadline_holds_in_a_runtime_without_timers() {
    let health = built(|b| {
        b.timeout(Duration::from_millis(1))
            .check("hangs", pending::<Result<(), String>>)
    });
    health.start_on_tokio();
    let runtime = Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(health.answer("checks=all"));
    let record = answer.records().next().unwrap().text().to_owned();
    assert!(record.contains("timed out after 1ms"), "{record}");
}

/// On the runtime's only thread, it would block the plain answer for ever.
#[test]
fn a_check_that_blocks_its_thread_blocks_none_of_the_runtimes() {
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let (start, started) = channel();
    let health = built(|b| {
        b.check("blocks", move || {
            let _ = start.send(());
            let _ = released.lock().unwrap().recv();
            async { Ok::<(), String>(()) }
        })
    });
    health.start_on_tokio();
    single().block_on(async {
        let deep = health.clone();
        let deep = tokio::spawn(async move { deep.respond("checks=all").await });
        tokio::task::yield_now().await;
        started.recv().unwrap();
        assert_eq!(health.respond("").await.body(), "OK");
        drop(release);
        assert_eq!(deep.await.unwrap().body(), "OK");
    });
}

#[test]
fn a_runtime_that_is_gone_fails_the_checks_that_need_it_and_no_other() {
    let health = built(|b| {
        b.check("sleeps", sleeps)
            .check("fine", || async { Ok::<(), String>(()) })
    });
    health.start_on_tokio();
    assert_eq!(single().block_on(health.respond("checks=all")).body(), "OK");
    // The next asks from no runtime.
    let answer = block_on(health.answer("checks=all"));
    let record = answer.records().next().unwrap().text().to_owned();
    assert!(
        record.contains(r#""name":"sleeps","status":"ERROR""#),
        "{record}"
    );
    assert!(
        record.contains(r#""name":"fine","status":"OK""#),
        "{record}"
    );
}
