//! Models of a run: [loom](https://docs.rs/loom) tries every order of requests that join or leave, panics, late results
//! and the next run.
//!
//! `RUSTFLAGS='--cfg health_loom' cargo test -p health-core --lib loom --release`

use std::future::{Future, ready};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use loom::future::block_on;
use loom::thread;

use super::engine::{Engine, Limits};
use super::in_flight::{InFlight, Turn};
use super::wait::Overdue;
use super::{Dispatcher, Observers, RegisteredCheck, Run, background};
use crate::check::{Check, Counting, Criticality};
use crate::decision::{Outcome, RunPermit, Verdict, decide};
use crate::lifecycle::{LastRelease, StartupLatch};
use crate::runtime::promise::Promise;
use crate::runtime::{Runtime, Task};
use crate::state::StateChanges;

/// How the checks of the models count.
const REQUIRED: Counting = Counting::As(Criticality::Required);

/// Keeps the tasks until a thread takes them, and keeps the time still.
#[derive(Default)]
struct Shelf {
    tasks: Mutex<Vec<Task>>,
    /// Whether every deadline is over.
    is_late: AtomicBool,
}

/// The time of a model, and the shelf for its tasks.
#[derive(Clone)]
struct Model(Arc<Shelf>, Instant);

impl Runtime for Model {
    fn now(&self) -> Instant {
        let is_late = self.0.is_late.load(Ordering::SeqCst);
        // Not so late that it would be a standstill of the process.
        self.1 + Duration::from_millis(if is_late { 200 } else { 0 })
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        if self.now() >= deadline { Box::pin(ready(())) } else { Box::pin(std::future::pending()) }
    }

    fn spawn(&self, task: Task) {
        self.0.tasks.lock().unwrap().push(task);
    }
}

impl Model {
    fn new() -> Self {
        Self(Arc::default(), Instant::now())
    }

    /// Runs what was spawned, on the thread that calls.
    fn work(&self) {
        while let Some(task) = {
            let task = self.0.tasks.lock().unwrap().pop();
            task
        } {
            block_on(task);
        }
    }

    fn engine(&self, check: Check) -> Arc<Engine> {
        engine(Arc::new(self.clone()), check, LastRelease::of(Vec::new(), StateChanges::default()))
    }
}

fn engine(runtime: Arc<dyn Runtime>, check: Check, release: Arc<LastRelease>) -> Arc<Engine> {
    let check = RegisteredCheck::new(check, Duration::from_millis(50));
    let limits = Limits {
        run_timeout: Duration::from_millis(100),
        min_interval: Duration::ZERO,
        concurrent_checks: 1,
        slow_share: 1.0,
    };
    let checks = vec![Arc::new(check)];
    Arc::new(Engine::new(
        checks,
        limits,
        1,
        Observers::default(),
        release,
        StateChanges::default(),
        Some(runtime),
    ))
}

/// A run of the one check of the engine.
fn run_of(engine: &Arc<Engine>) -> Arc<Run> {
    Run::of(engine, &engine.checks.clone().into(), &[REQUIRED].into())
}

fn permit() -> RunPermit {
    match decide(None, true) {
        ControlFlow::Continue(permit) => permit,
        ControlFlow::Break(decision) => panic!("{decision:?}"),
    }
}

/// Tries all orders with at most this many preemptions.
fn model(body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(body);
}

#[test]
fn the_first_value_of_a_promise_wins_and_all_waits_return_it() {
    model(|| {
        let latch = Arc::new(Promise::default());
        let waits = latch.clone();
        let waiter = thread::spawn(move || block_on(waits.wait()));
        let sets = latch.clone();
        let setter = thread::spawn(move || sets.set(1));
        let won = latch.set(2);
        let other_won = setter.join().unwrap();
        assert_ne!(won, other_won);
        let value = if won { 2 } else { 1 };
        assert_eq!(waiter.join().unwrap(), value);
        assert_eq!(latch.get(), Some(value));
    });
}

#[test]
fn a_dropped_wait_does_not_affect_others() {
    model(|| {
        let latch = Arc::new(Promise::default());
        let waits = latch.clone();
        let leaves = latch.clone();
        let waiter = thread::spawn(move || block_on(waits.wait()));
        let leaver = thread::spawn(move || {
            let mut wait = std::pin::pin!(leaves.wait());
            let _ = wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        latch.set(1);
        leaver.join().unwrap();
        assert_eq!(waiter.join().unwrap(), 1);
    });
}

/// A run that is never overdue.
struct Patient;

impl Overdue for Patient {
    fn overdue_at(&self) -> Option<Instant> {
        None
    }

    fn close_overdue(self: Arc<Self>) {}
}

#[test]
fn the_code_of_a_check_never_runs_twice_at_the_same_time() {
    model(|| {
        let in_flight = Arc::new(InFlight::default());
        let running = Arc::new(AtomicUsize::new(0));
        let now = Instant::now();
        let begin = move |in_flight: &Arc<InFlight>, running: &AtomicUsize| {
            let run = Arc::new(Patient);
            match in_flight.begin(run.clone(), now) {
                Turn::Own(executing) => {
                    assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                    // The run ends before the code returns, as after a timeout.
                    in_flight.end(&*run);
                    thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                    drop(executing);
                }
                Turn::Other(_) | Turn::StillRunning { .. } => {}
            }
        };
        let others = in_flight.clone();
        let counted = running.clone();
        let second = thread::spawn(move || begin(&others, &counted));
        begin(&in_flight, &running);
        second.join().unwrap();
        assert!(matches!(in_flight.begin(Arc::new(Patient), now), Turn::Own(_)));
    });
}

#[test]
fn two_requests_share_a_run_or_have_one_after_the_other() {
    model(|| {
        let time = Model::new();
        let executions = Arc::new(AtomicUsize::new(0));
        let running = Arc::new(AtomicUsize::new(0));
        let counted = executions.clone();
        let side_by_side = running;
        let check = Check::new("counted", move || {
            counted.fetch_add(1, Ordering::SeqCst);
            assert_eq!(side_by_side.fetch_add(1, Ordering::SeqCst), 0);
            thread::yield_now();
            side_by_side.fetch_sub(1, Ordering::SeqCst);
            ready(Ok::<(), String>(()))
        });
        let engine = time.engine(check);
        let checks = engine.checks.iter().map(|check| (check.clone(), REQUIRED)).collect();
        let dispatcher = Arc::new(Dispatcher::new(engine, checks));
        let ask = |dispatcher: &Dispatcher, time: &Model| {
            let outcome = dispatcher.outcome(permit());
            let mut outcome = std::pin::pin!(outcome);
            // Joins or starts a run, and then runs spawned tasks.
            let first = outcome.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            time.work();
            match first {
                std::task::Poll::Ready(outcome) => outcome,
                std::task::Poll::Pending => block_on(outcome),
            }
        };
        let others = dispatcher.clone();
        let clock = time.clone();
        let other = thread::spawn(move || ask(&others, &clock).verdict);
        assert_eq!(ask(&dispatcher, &time).verdict, Verdict::Ok);
        assert_eq!(other.join().unwrap(), Verdict::Ok);
        assert!((1..=2).contains(&executions.load(Ordering::SeqCst)));
    });
}

/// Runs every task on the thread that spawns it.
struct Inline(Instant);

impl Runtime for Inline {
    fn now(&self) -> Instant {
        self.0
    }

    fn sleep_until(&self, _: Instant) -> Task {
        Box::pin(std::future::pending())
    }

    fn spawn(&self, task: Task) {
        block_on(task);
    }
}

#[test]
fn a_background_check_runs_after_the_release_of_the_last_latch_whenever_that_comes() {
    model(|| {
        let is_released = Arc::new(loom::sync::Mutex::new(false));
        let has_run_since = Arc::new(Promise::default());
        let released = is_released.clone();
        let ran = has_run_since.clone();
        let check = Check::new("table", move || {
            if *released.lock().unwrap() {
                ran.set(());
            }
            ready(Ok::<(), String>(()))
        });
        let latch = StartupLatch::new("migrations");
        let release = LastRelease::of(vec![latch.shared()], StateChanges::default());
        let engine = engine(Arc::new(Inline(Instant::now())), check, release);
        let repeats = engine.clone();
        let period = Duration::from_secs(60);
        let check = engine.checks[0].clone();
        let repeat = thread::spawn(move || block_on(background::repeat(repeats, check, period)));
        *is_released.lock().unwrap() = true;
        latch.release();
        // Would wait without end if the release were missed.
        block_on(has_run_since.wait());
        engine.stopped().set(());
        repeat.join().unwrap();
    });
}

/// An outcome that was waited for on another thread.
fn waiting(run: &Arc<Run>) -> thread::JoinHandle<Arc<Outcome>> {
    let run = run.clone();
    thread::spawn(move || block_on(run.outcome()))
}

#[test]
fn a_client_that_leaves_changes_nothing_for_another() {
    model(|| {
        let time = Model::new();
        let check = Check::new("fails", || ready(Err::<(), _>("no route")));
        let run = run_of(&time.engine(check));
        run.launch();
        let waiter = waiting(&run);
        let leaves = run.clone();
        let leaver = thread::spawn(move || {
            let mut outcome = std::pin::pin!(leaves.outcome());
            let _ = outcome.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        time.work();
        leaver.join().unwrap();
        assert_eq!(waiter.join().unwrap().verdict, Verdict::Failing);
    });
}

#[test]
fn a_panic_or_a_task_that_is_dropped_is_an_outcome_like_any_other() {
    model(|| {
        let time = Model::new();
        let check = Check::new("never-ends", std::future::pending::<Result<(), String>>);
        let run = run_of(&time.engine(check));
        run.launch();
        let waiter = waiting(&run);
        let mut task = time.0.tasks.lock().unwrap().pop().unwrap();
        let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop(task);
        assert_eq!(waiter.join().unwrap().verdict, Verdict::Failing);
    });
    model(|| {
        let time = Model::new();
        let check = Check::new("panics", || -> std::future::Ready<Result<(), String>> {
            std::panic::resume_unwind(Box::new("quietly"))
        });
        let run = run_of(&time.engine(check));
        run.launch();
        let waiter = waiting(&run);
        time.work();
        assert_eq!(waiter.join().unwrap().verdict, Verdict::Failing);
    });
}

#[test]
fn a_result_that_is_late_or_just_in_time_makes_one_outcome_for_all_and_none_for_the_next_run() {
    model(|| {
        let time = Model::new();
        // Passes on the thread of the first run, and fails on that of the second.
        let own = thread::current().id();
        let check = Check::new("tells-them-apart", move || {
            let is_second = thread::current().id() == own;
            thread::yield_now();
            ready(if is_second { Err("no route") } else { Ok(()) })
        });
        let engine = time.engine(check);
        let first = run_of(&engine);
        first.launch();
        let task = time.0.tasks.lock().unwrap().pop().unwrap();
        let task = thread::spawn(move || block_on(task));
        // Meanwhile the deadline has passed, and the waiting request closes the run.
        time.0.is_late.store(true, Ordering::SeqCst);
        let outcome = block_on(first.outcome());

        let second = run_of(&engine);
        second.launch();
        time.work();
        assert_eq!(block_on(second.outcome()).verdict, Verdict::Failing);
        task.join().unwrap();
        assert!(Arc::ptr_eq(&outcome, &block_on(first.outcome())));
    });
}

#[test]
fn of_two_runs_that_choose_the_same_check_one_executes_it_and_both_have_its_result() {
    model(|| {
        let time = Model::new();
        let executions = Arc::new(AtomicUsize::new(0));
        let running = Arc::new(AtomicUsize::new(0));
        let counted = executions.clone();
        let side_by_side = running;
        let check = Check::new("counted", move || {
            counted.fetch_add(1, Ordering::SeqCst);
            assert_eq!(side_by_side.fetch_add(1, Ordering::SeqCst), 0);
            thread::yield_now();
            side_by_side.fetch_sub(1, Ordering::SeqCst);
            ready(Ok::<(), String>(()))
        });
        let engine = time.engine(check);
        let runs = [(); 2].map(|()| run_of(&engine));
        let tasks = runs.each_ref().map(|run| {
            run.launch();
            time.0.tasks.lock().unwrap().pop().unwrap()
        });
        let [one, other] = tasks;
        let one = thread::spawn(move || block_on(one));
        block_on(other);
        one.join().unwrap();
        for run in runs {
            assert_eq!(block_on(run.outcome()).verdict, Verdict::Ok);
        }
        assert!((1..=2).contains(&executions.load(Ordering::SeqCst)));
    });
}
