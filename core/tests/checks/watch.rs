//! Watches follow the state of an endpoint without requests.

use std::future::ready;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use futures::executor::block_on;
use futures::future::{AbortHandle, abortable};
use health_core::{
    Check, Endpoint, Health, HealthConfig, MaintenanceSource, Notification, RunChecks, Runtime,
    StartupLatch, State, Task, Watch,
};

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{builder, in_virtual_time, passing};

const SECOND: Duration = Duration::from_secs(1);

/// A task that reads a watch.
pub(crate) struct Reader {
    states: Arc<Mutex<Vec<State>>>,
    is_over: Arc<AtomicBool>,
    abort: AbortHandle,
}

impl Reader {
    pub(crate) fn of(mut watch: Watch, time: &VirtualTime) -> Self {
        let states = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let (read, ended) = (states.clone(), is_over.clone());
        let (task, abort) = abortable(async move {
            while let Some(state) = watch.next().await {
                read.lock().unwrap().push(state);
            }
            ended.store(true, Ordering::SeqCst);
        });
        time.spawn(Box::pin(async { task.await.unwrap_or_default() }));
        time.settle();
        Self { states, is_over, abort }
    }

    /// The states since the last call.
    pub(crate) fn read(&self) -> Vec<State> {
        std::mem::take(&mut *self.states.lock().unwrap())
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }
}

/// A source that counts its calls.
struct Source {
    is_active: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
}

impl MaintenanceSource for Source {
    fn is_active(&self) -> bool {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.is_active.load(Ordering::SeqCst)
    }
}

fn source() -> (Source, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let is_active = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(AtomicUsize::new(0));
    (Source { is_active: is_active.clone(), calls: calls.clone() }, is_active, calls)
}

#[test]
fn a_watch_yields_the_current_state_and_at_once_each_that_the_program_makes() {
    let [first, last] = ["first", "last"].map(StartupLatch::new);
    let (health, time) = in_virtual_time(|b| b.latch(&first).latch(&last));
    let reader = Reader::of(health.watch(), &time);
    assert_eq!(reader.read(), [State::Starting]);
    let expect = |states: &[State]| {
        time.settle();
        assert_eq!(reader.read(), states);
    };
    last.release();
    expect(&[]);
    first.release();
    expect(&[State::Ok]);
    let switch = health.maintenance_switch();
    switch.turn_on();
    expect(&[State::Maintenance]);
    switch.turn_on();
    expect(&[]);
    switch.turn_off();
    expect(&[State::Ok]);
    health.drain();
    expect(&[State::Draining]);
    assert!(reader.is_over(), "no other state can follow");
}

#[test]
fn a_latch_that_is_dropped_or_failed_is_failing_at_once() {
    let ends: [fn(StartupLatch); 2] = [drop, |latch| latch.fail("no route")];
    for end in ends {
        let latch = StartupLatch::new("migrations");
        let (health, time) = in_virtual_time(|b| b.latch(&latch));
        let reader = Reader::of(health.watch(), &time);
        std::thread::spawn(move || end(latch)).join().unwrap();
        time.settle();
        assert_eq!(reader.read(), [State::Starting, State::Failing]);
    }
}

#[test]
fn the_disablefile_is_noticed_within_the_interval() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("maintenance");
    let time = VirtualTime::default();
    let config = HealthConfig::default().with_disablefile(&path);
    let builder = Health::builder().config(config).runtime(time.clone());
    let health = builder.watch_interval(5 * SECOND).build().unwrap();
    let reader = Reader::of(health.watch(), &time);
    let now_read = |states: &[State]| {
        // Where the file system is not known to be fast, another thread looks for the file.
        time.wait_until(|| reader.states.lock().unwrap().len() == states.len());
        assert_eq!(reader.read(), states);
    };
    now_read(&[State::Ok]);
    std::fs::write(&path, "").unwrap();
    time.pass(4 * SECOND);
    assert_eq!(reader.read(), []);
    time.pass(SECOND);
    now_read(&[State::Maintenance]);
    // The switch does not hide that the file is there.
    health.maintenance_switch().turn_on();
    health.maintenance_switch().turn_off();
    time.settle();
    assert_eq!(reader.read(), []);
    std::fs::remove_file(&path).unwrap();
    time.pass(5 * SECOND);
    now_read(&[State::Ok]);
}

#[test]
fn ten_thousand_watches_cost_one_evaluation_per_interval_and_no_watch_costs_none() {
    let (source, is_active, calls) = source();
    let (health, time) = in_virtual_time(|b| b.maintenance_source(source));
    health.start_on(time.clone());
    time.pass(10 * SECOND);
    assert_eq!(calls.load(Ordering::SeqCst), 0, "no watch, no evaluation");

    let readers: Vec<_> = (0..10_000).map(|_| Reader::of(health.watch(), &time)).collect();
    let all_read = |states: &[State]| {
        let have = |reader: &Reader| reader.states.lock().unwrap().len() == states.len();
        time.wait_until(|| readers.iter().all(have));
        assert!(readers.iter().all(|reader| reader.read() == states));
    };
    all_read(&[State::Ok]);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    for interval in 2..=10 {
        time.pass(SECOND);
        time.wait_until(|| calls.load(Ordering::SeqCst) == interval);
    }
    is_active.store(true, Ordering::SeqCst);
    time.pass(SECOND);
    all_read(&[State::Maintenance]);
    assert_eq!(calls.load(Ordering::SeqCst), 11);

    readers.iter().for_each(|reader| reader.abort.abort());
    drop(readers);
    time.pass(10 * SECOND);
    assert_eq!(calls.load(Ordering::SeqCst), 11, "no watch is left");
    // A new watch does not get the last state of the former ones.
    is_active.store(false, Ordering::SeqCst);
    let reader = Reader::of(health.watch(), &time);
    time.wait_until(|| !reader.states.lock().unwrap().is_empty());
    assert_eq!(reader.read(), [State::Ok]);
    assert_eq!(calls.load(Ordering::SeqCst), 12);
}

#[test]
fn two_endpoints_share_the_evaluation_and_one_that_ignores_maintenance_needs_none() {
    let (source, _, calls) = source();
    let (health, time) = in_virtual_time(|b| {
        b.maintenance_source(source)
            .endpoint(Endpoint::liveness("/live"))
            .endpoint(Endpoint::readiness("/ready"))
    });
    let watch = |path: &str| Reader::of(health.at(path).unwrap().watch(), &time);
    let live = watch("/live");
    time.pass(3 * SECOND);
    assert_eq!(live.read(), [State::Ok]);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    // Between two looks of the task: it looks at once.
    time.pass(SECOND / 2);
    let [main, ready] = [watch("/health"), watch("/ready")];
    let have = |reader: &Reader| !reader.states.lock().unwrap().is_empty();
    time.wait_until(|| have(&main) && have(&ready));
    assert_eq!((main.read(), ready.read()), (vec![State::Ok], vec![State::Ok]));
    assert_eq!(calls.load(Ordering::SeqCst), 1);

    health.maintenance_switch().turn_on();
    health.drain();
    time.pass(3 * SECOND);
    assert_eq!((main.is_over(), ready.is_over(), live.is_over()), (true, true, false));
    assert_eq!(live.read(), []);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn a_slow_reader_misses_states_but_not_the_last() {
    let (health, time) = in_virtual_time(|b| b);
    let mut watch = health.watch();
    let switch = health.maintenance_switch();
    time.spawn(Box::pin({
        let mut other = health.watch();
        async move { while other.next().await.is_some() {} }
    }));
    time.settle();
    assert_eq!(block_on(watch.next()), Some(State::Ok));
    switch.turn_on();
    switch.turn_off();
    switch.turn_on();
    assert_eq!(block_on(watch.next()), Some(State::Maintenance));
    switch.turn_off();
    health.drain();
    assert_eq!(block_on(watch.next()), Some(State::Draining));
    assert_eq!(block_on(watch.next()), None);
    assert_eq!(block_on(watch.next()), None, "and for good");
}

#[test]
fn dropping_the_last_handle_ends_a_watch_which_does_not_keep_it_alive() {
    let (health, time) = in_virtual_time(|b| b);
    let clone = health.clone();
    let reader = Reader::of(health.watch(), &time);
    let mut unread = health.watch();
    drop(health);
    time.pass(10 * SECOND);
    assert!(!reader.is_over());
    drop(clone);
    time.settle();
    assert!(reader.is_over());
    assert_eq!(reader.read(), [State::Ok]);
    assert_eq!(block_on(unread.next()), None);
    assert!(!block_on(unread.wait_for(State::Ok)));
}

#[test]
fn a_watch_starts_background_checks_and_yields_the_end_of_each_run() {
    let fails = Arc::new(AtomicBool::new(false));
    let failing = fails.clone();
    let check = Check::new("database", move || {
        ready(if failing.load(Ordering::SeqCst) { Err("no route") } else { Ok(()) })
    });
    let optional = passing("mail").optional().every(3600 * SECOND);
    let (health, time) =
        in_virtual_time(|b| b.register(check.every(60 * SECOND)).register(optional));
    let reader = Reader::of(health.watch(), &time);
    assert_eq!(reader.read(), [State::Ok]);
    fails.store(true, Ordering::SeqCst);
    time.pass(70 * SECOND);
    assert_eq!(reader.read(), [State::Failing]);
    fails.store(false, Ordering::SeqCst);
    time.pass(70 * SECOND);
    assert_eq!(reader.read(), [State::Ok]);
}

#[test]
fn a_background_check_fails_before_its_first_result_as_for_a_request() {
    let hangs = Check::new("hangs", std::future::pending::<Result<(), String>>);
    let (health, time) = in_virtual_time(|b| b.register(hangs.every(60 * SECOND)));
    let reader = Reader::of(health.watch(), &time);
    assert_eq!(reader.read(), [State::Failing]);
}

#[test]
fn a_result_that_gets_stale_is_noticed_within_the_interval() {
    let (health, time) = in_virtual_time(|b| b.register(passing("database").every(60 * SECOND)));
    let reader = Reader::of(health.watch(), &time);
    assert_eq!(reader.read(), [State::Ok]);
    for _ in 0..4 {
        // Requests come in time, so the process does not stand still; but nothing wakes the check.
        time.ask(&health);
        time.pass_unnoticed(60 * SECOND);
    }
    health.maintenance_switch().turn_on();
    health.maintenance_switch().turn_off();
    time.pass(Duration::ZERO);
    assert_eq!(reader.read().first(), Some(&State::Failing));
}

#[test]
fn a_watch_runs_no_check_on_request_but_the_last_run_of_any_endpoint_counts() {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let check = Check::new("database", move || {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        ready(if number == 0 { Err("no route") } else { Ok(()) })
    });
    let (health, time) = in_virtual_time(|b| {
        b.register(check)
            .endpoint(Endpoint::readiness("/ready"))
            .endpoint(Endpoint::readiness("/none").no_checks())
            .endpoint(Endpoint::strict("/never").run_checks(RunChecks::Never))
    });
    let paths = ["/health", "/ready", "/none", "/never"];
    let readers = paths.map(|path| Reader::of(health.at(path).unwrap().watch(), &time));
    let read = || {
        time.settle();
        readers.each_ref().map(Reader::read)
    };
    assert_eq!(read(), [(); 4].map(|()| vec![State::Ok]), "what has not run does not count");
    time.pass(10 * SECOND);
    assert_eq!(executions.load(Ordering::SeqCst), 0);
    time.ask_at(&health, "/ready");
    let failing = || vec![State::Failing];
    assert_eq!(read(), [failing(), failing(), vec![], vec![]]);
    time.ask(&health);
    let ok = || vec![State::Ok];
    assert_eq!(read(), [ok(), ok(), vec![], vec![]]);
    assert_eq!(executions.load(Ordering::SeqCst), 2);
}

#[test]
fn a_wait_for_a_state_is_over_at_once_in_it_and_otherwise_when_it_comes() {
    let (health, time) = in_virtual_time(|b| b);
    let mut watch = health.watch();
    let results = Arc::new(Mutex::new(Vec::new()));
    let told = results.clone();
    time.spawn(Box::pin(async move {
        for state in [State::Ok, State::Ok, State::Maintenance, State::Ok] {
            let reached = watch.wait_for(state).await;
            told.lock().unwrap().push(reached);
        }
        // It never comes: the drain ends the watch.
        let reached = watch.wait_for(State::Failing).await;
        told.lock().unwrap().push(reached);
        let reached = watch.wait_for(State::Draining).await;
        told.lock().unwrap().push(reached);
    }));
    let expect = |reached: &[bool]| {
        time.settle();
        assert_eq!(std::mem::take(&mut *results.lock().unwrap()), reached);
    };
    expect(&[true, true]);
    health.maintenance_switch().turn_on();
    expect(&[true]);
    health.maintenance_switch().turn_off();
    expect(&[true]);
    health.drain();
    expect(&[false, true]);
}

#[test]
fn a_wait_works_on_threads_of_the_library_alone() {
    let latch = StartupLatch::new("migrations");
    let health = builder().latch(&latch).build().unwrap();
    let mut watch = health.watch();
    let waiter = std::thread::spawn(move || block_on(watch.wait_for(State::Ok)));
    latch.release();
    assert!(waiter.join().unwrap());
}

#[test]
fn a_runtime_that_drops_its_tasks_keeps_no_later_watch_from_a_task() {
    /// Drops the first task, and leaves the others to virtual time.
    struct Forgetful(VirtualTime, AtomicUsize);

    impl Runtime for Forgetful {
        fn now(&self) -> std::time::Instant {
            self.0.now()
        }

        fn sleep_until(&self, deadline: std::time::Instant) -> Task {
            self.0.sleep_until(deadline)
        }

        fn spawn(&self, task: Task) {
            if self.1.fetch_add(1, Ordering::SeqCst) == 0 {
                drop(task);
            } else {
                self.0.spawn(task);
            }
        }
    }

    let time = VirtualTime::default();
    let runtime = Forgetful(time.clone(), AtomicUsize::new(0));
    let health = builder().runtime(runtime).build().unwrap();
    let first = Reader::of(health.watch(), &time);
    assert_eq!(first.read(), []);
    let second = Reader::of(health.watch(), &time);
    assert_eq!((first.read(), second.read()), (vec![State::Ok], vec![State::Ok]));
}

#[test]
fn a_state_observer_gets_each_change_of_each_endpoint_with_its_reason() {
    let (tell, told) = std::sync::mpsc::channel();
    let tell = Mutex::new(tell);
    let observer = move |notification| {
        let Notification::StateChanged(changed) = notification else {
            panic!("{notification:?}");
        };
        let record = changed.record.text().to_owned();
        let before = changed.before.zip(changed.before_lasted.map(|lasted| lasted.as_secs()));
        let change = (changed.path.to_string(), before, changed.now, record);
        let _ = tell.lock().unwrap().send(change);
    };
    let fails = Check::new("database", || ready(Err::<(), _>("no route"))).optional();
    let latch = StartupLatch::new("migrations");
    let (health, time) = in_virtual_time(|b| {
        b.state_observer(observer)
            .register(fails.every(60 * SECOND))
            .latch(&latch)
            .endpoint(Endpoint::liveness("/live"))
    });
    time.pass(10 * SECOND);
    assert!(told.try_recv().is_err(), "it has not started");
    health.start_on(time.clone());
    time.settle();
    let expect = |path: &str, before, now, record: &str| {
        let told = told.recv().unwrap();
        assert_eq!(told, (path.to_owned(), before, now, format!("Health response: {record}")));
    };
    // Only this state does not depend on the sources, so it is known first.
    expect("/live", None, State::Ok, "OK");
    expect("/health", None, State::Starting, r#"STARTING (["migrations"])"#);
    latch.release();
    let results = r#"DEGRADED ([{"name":"database","status":"ERROR","message":"no route"}])"#;
    expect("/health", Some((State::Starting, 0)), State::Degraded, results);
    time.pass(70 * SECOND);
    health.drain();
    expect("/health", Some((State::Degraded, 70)), State::Draining, "DRAINING");
    time.pass(70 * SECOND);
    drop(health);
    time.settle();
    assert!(told.recv().is_err(), "no other change, and the observer is dropped");
}

#[test]
fn a_state_observer_that_was_too_slow_gets_the_latest_state_when_its_queue_has_room() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    let (tell, released) = (Mutex::new(tell), Mutex::new(released));
    let slow = move |notification| {
        let _ = released.lock().unwrap().recv();
        if let Notification::StateChanged(changed) = notification {
            let _ = tell.lock().unwrap().send(changed.now);
        }
    };
    let (health, time) = in_virtual_time(|b| b.state_observer(slow));
    health.start_on(time.clone());
    time.settle();
    let switch = health.maintenance_switch();
    for _ in 0..1000 {
        switch.turn_on();
        switch.turn_off();
    }
    // The 1,000 in the queue end with a maintenance; its end found no room.
    drop(release);
    assert_eq!(told.iter().take(1000).last(), Some(State::Maintenance));
    time.wait_until(|| {
        time.pass(SECOND);
        told.try_recv() == Ok(State::Ok)
    });
}

#[test]
fn the_task_ends_with_the_last_watch_and_another_starts_with_the_next() {
    /// Counts the timers.
    struct Counted(VirtualTime, Arc<AtomicUsize>);

    impl Runtime for Counted {
        fn now(&self) -> std::time::Instant {
            self.0.now()
        }

        fn sleep_until(&self, deadline: std::time::Instant) -> Task {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.sleep_until(deadline)
        }

        fn spawn(&self, task: Task) {
            self.0.spawn(task);
        }
    }

    let time = VirtualTime::default();
    let timers = Arc::new(AtomicUsize::new(0));
    let health = builder().runtime(Counted(time.clone(), timers.clone())).build().unwrap();
    for _ in 0..2 {
        let reader = Reader::of(health.watch(), &time);
        time.pass(10 * SECOND);
        assert_eq!(reader.read(), [State::Ok]);
        reader.abort.abort();
        time.pass(SECOND);
        let before = timers.swap(0, Ordering::SeqCst);
        assert!((10..=12).contains(&before), "{before}");
        time.pass(10 * SECOND);
        assert_eq!(timers.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn an_interval_of_zero_is_refused() {
    let error = builder().watch_interval(Duration::ZERO).build().unwrap_err();
    assert!(error.to_string().contains("watch_interval"), "{error}");
}
