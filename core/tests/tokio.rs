//! Checks that use tokio find its runtime, in whatever order an application builds, mounts and sends requests.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::future::pending;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use health_core::{
    Check, Health, HealthBuilder, HealthCheckEvent, HealthConfig, HealthSubscriber, async_trait,
};
use tokio::runtime::{Builder, Handle, Id, Runtime};

const HOUR: Duration = Duration::from_secs(3600);

fn built(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> Health {
    let config = HealthConfig::default().with_disablefile("");
    describe(Health::builder().config(config)).build().unwrap()
}

/// Needs a runtime, its timer and its tasks.
async fn sleeps() -> Result<(), String> {
    let sleep = tokio::spawn(tokio::time::sleep(Duration::from_millis(1)));
    sleep.await.map_err(|error| error.to_string())
}

struct Sleeper;

#[async_trait]
impl HealthSubscriber for Sleeper {
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        match sleeps().await {
            Ok(()) => event.ok("sleeper"),
            Err(error) => event.error("sleeper", error),
        }
    }
}

/// Checks of each kind that need tokio.
fn of_each_kind() -> [Check; 3] {
    [
        Check::new("async", sleeps),
        Check::blocking("blocking", || Handle::current().block_on(sleeps())),
        Check::subscriber("subscriber", Sleeper),
    ]
}

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn several() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Inside,
    Outside,
    Nowhere,
}

impl Place {
    fn run<T>(self, runtime: &Runtime, call: impl Future<Output = T>) -> Option<T> {
        match self {
            Self::Inside => Some(runtime.block_on(call)),
            Self::Outside => Some(block_on(call)),
            Self::Nowhere => None,
        }
    }
}

/// The body and the record of the first request whose checks have run.
async fn settled(health: &Health) -> (&'static str, String) {
    loop {
        let answer = health.answer("checks=all").await;
        let record = answer.records().next();
        let record = record.map_or_else(String::new, |record| record.text().to_owned());
        if !record.contains("not run yet") {
            return (answer.response().word().as_str(), record);
        }
        thread::yield_now();
    }
}

#[test]
fn in_every_order_of_build_mount_and_request_checks_find_the_runtime() {
    use Place::{Inside, Nowhere, Outside};
    for is_background in [false, true] {
        for build in [Inside, Outside] {
            for mount in [Inside, Outside, Nowhere] {
                for ask in [Inside, Outside] {
                    let order = format!("{is_background} {build:?} {mount:?} {ask:?}");
                    let runtime = several();
                    let checks = of_each_kind()
                        .map(|check| if is_background { check.every(HOUR) } else { check });
                    let describe = |b| checks.into_iter().fold(b, HealthBuilder::register);
                    let health = build.run(&runtime, async { built(describe) }).unwrap();
                    mount.run(&runtime, async { health.start_on_tokio() });
                    let (body, record) = ask.run(&runtime, settled(&health)).unwrap();
                    if [build, mount, ask].contains(&Inside) {
                        assert_eq!(body, "OK", "{order}: {record}");
                    } else {
                        // The message names what is missing.
                        let missing = "outside a tokio runtime: build, mount or request";
                        assert_eq!(record.matches(missing).count(), 3, "{order}: {record}");
                    }
                }
            }
        }
    }
}

#[test]
fn several_runtimes_one_after_the_other_are_each_found() {
    let health = built(|b| of_each_kind().into_iter().fold(b, HealthBuilder::register));
    for runtime in [single(), several(), single()] {
        let (body, record) = runtime.block_on(settled(&health));
        assert_eq!(body, "OK", "{record}");
    }
}

/// A check that reports the runtime of each execution.
fn located() -> (Check, Receiver<Option<Id>>) {
    let (found, place) = channel();
    let found = Mutex::new(found);
    let check = Check::new("located", move || {
        let found = found.lock().unwrap().clone();
        async move {
            let id = Handle::try_current().ok().map(|handle| handle.id());
            let _ = found.send(id);
            sleeps().await
        }
    });
    (check, place)
}

#[test]
fn a_background_check_follows_from_a_runtime_that_has_shut_down_to_a_live_one() {
    let (check, place) = located();
    let health = built(|b| b.register(check.every(Duration::from_millis(50))));
    for runtime in [several(), several(), several()] {
        let id = runtime.handle().id();
        runtime.block_on(health.respond("checks=all"));
        while place.recv().unwrap() != Some(id) {}
        drop(runtime);
        while place.recv().unwrap().is_some() {}
    }
}

#[test]
fn a_background_check_that_missed_its_runtime_runs_as_soon_as_there_is_one() {
    let (check, place) = located();
    let health = built(|b| b.register(check.every(HOUR)));
    block_on(health.respond(""));
    assert_eq!(place.recv().unwrap(), None);
    let runtime = several();
    runtime.block_on(health.respond("checks=all"));
    assert_eq!(place.recv().unwrap(), Some(runtime.handle().id()));
}

#[test]
fn a_background_check_stays_with_its_runtime_while_that_lives() {
    let (check, place) = located();
    let health = built(|b| b.register(check.every(Duration::from_millis(50))));
    let first = several();
    let second = several();
    first.block_on(async { health.start_on_tokio() });
    second.block_on(async { health.start_on_tokio() });
    second.block_on(health.respond("checks=all"));
    for _ in 0..3 {
        assert_eq!(place.recv().unwrap(), Some(first.handle().id()));
    }
}

#[test]
fn background_checks_that_would_miss_their_runtime_wait_for_the_first_request() {
    let (check, place) = located();
    let health = built(|b| b.register(check.every(HOUR)));
    health.start_on_tokio();
    assert!(place.try_recv().is_err());
    let runtime = single();
    runtime.block_on(health.respond(""));
    assert_eq!(place.recv().unwrap(), Some(runtime.handle().id()));
}

#[test]
fn a_timeout_ends_a_check_in_a_runtime_without_timers() {
    let health = built(|b| {
        b.timeout(Duration::from_millis(1)).check("hangs", pending::<Result<(), String>>)
    });
    health.start_on_tokio();
    let runtime = Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(health.answer("checks=all"));
    let record = answer.records().next().unwrap().text().to_owned();
    assert!(record.contains("timed out after 1ms"), "{record}");
}

/// On the only thread of the runtime, it would block the response without checks indefinitely.
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
    let health =
        built(|b| b.check("sleeps", sleeps).check("fine", || async { Ok::<(), String>(()) }));
    assert_eq!(single().block_on(health.respond("checks=all")).body(), "OK");
    // The next request comes from outside a runtime.
    let (_, record) = block_on(settled(&health));
    assert!(record.contains(r#""name":"sleeps","status":"ERROR""#), "{record}");
    assert!(record.contains(r#""name":"fine","status":"OK""#), "{record}");
}

/// The record of the first request for which `is_so`.
fn record_when(health: &Health, mut is_so: impl FnMut(&str, &str) -> bool) -> String {
    loop {
        let answer = block_on(health.answer("checks=all"));
        let record = answer.records().next().map_or("", |record| record.text()).to_owned();
        if is_so(answer.response().body(), &record) {
            return record;
        }
        thread::yield_now();
    }
}

fn watched(expiry: Duration) -> Health {
    built(|b| b.register(Check::tokio_runtime("runtime", expiry)))
}

#[test]
fn the_check_of_a_runtime_passes_while_it_runs_tasks_whatever_its_kind() {
    for runtime in [single(), several()] {
        let health = watched(HOUR);
        runtime.block_on(async { health.start_on_tokio() });
        let (end, ended) = futures::channel::oneshot::channel::<()>();
        let main = thread::spawn(move || runtime.block_on(ended));
        record_when(&health, |body, _| body == "OK");
        end.send(()).unwrap();
        main.join().unwrap().unwrap();
    }
}

#[test]
fn the_check_of_a_runtime_that_is_missing_names_the_call() {
    let health = watched(HOUR);
    let record = record_when(&health, |_, record| !record.contains("not run yet"));
    assert!(record.contains("no tokio runtime is known: "), "{record}");
    assert!(record.contains("or call `Health::start_on_tokio` there"), "{record}");
    let runtime = several();
    runtime.block_on(async { health.start_on_tokio() });
    record_when(&health, |body, _| body == "OK");
}

#[test]
fn the_check_of_a_runtime_that_has_shut_down_says_so() {
    let health = watched(Duration::from_millis(200));
    let runtime = several();
    runtime.block_on(async { health.start_on_tokio() });
    record_when(&health, |body, _| body == "OK");
    drop(runtime);
    record_when(&health, |_, record| record.contains("the tokio runtime has shut down"));
}

/// One of two workers that is blocked is no failure, and both are.
#[test]
fn the_check_of_a_runtime_fails_while_all_its_workers_are_blocked() {
    let health = watched(Duration::from_millis(200));
    let runtime = several();
    runtime.block_on(async { health.start_on_tokio() });
    record_when(&health, |body, _| body == "OK");
    let block = || {
        let (release, released) = channel::<()>();
        let (start, started) = channel();
        runtime.spawn(async move {
            let _ = start.send(());
            let _ = released.recv();
        });
        started.recv().unwrap();
        release
    };
    let first = block();
    let second = block();
    record_when(&health, |_, record| record.contains("blocked: the tokio runtime has run no task"));
    drop(second);
    record_when(&health, |body, _| body == "OK");
    drop(first);
}
