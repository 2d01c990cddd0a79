//! One execution of one check, within its timeout (H12).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Run;
use super::in_flight::Executing;
use super::peers;
use super::registered::RegisteredCheck;
#[cfg(feature = "tokio")]
use super::tokio_reading::read;
use crate::check::{CheckResult, HealthCheckEvent, HealthSubscriber, Report, Work};
use crate::runtime::after;
use crate::runtime::context::Context;
use crate::runtime::guard::{Guarded, Panicked, catch};
use crate::runtime::pool::Job;
use crate::runtime::promise::Promise;
use crate::text::Rounded;

/// The time that an execution may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeBudget {
    pub(super) start: Instant,
    /// `None` if the time is unlimited.
    pub(super) end: Option<Instant>,
    /// Whether the run ends before the check's timeout.
    pub(super) is_cut: bool,
}

impl TimeBudget {
    /// From `start` until `timeout` has passed, or until the run `closes` if that is sooner.
    pub(super) fn new(timeout: Duration, start: Instant, closes: Option<Instant>) -> Self {
        let timeout = after(start, timeout);
        let end = [timeout, closes].into_iter().flatten().min();
        let is_cut = end != timeout;
        Self { start, end, is_cut }
    }

    /// The report of a check that has exceeded it.
    pub(super) fn timed_out(self, check: &RegisteredCheck) -> Report {
        match self.end {
            Some(end) => {
                let limit = Rounded(end.saturating_duration_since(self.start));
                check.failure("timed_out", format_args!("timed out after {limit}"))
            }
            None => check.failure("timed_out", "timed out"),
        }
    }

    fn is_exceeded(self, now: Instant) -> bool {
        self.end.is_some_and(|end| now > end)
    }
}

/// Executes `check` for `run`, from `now` on, and returns its reports, at the latest when its time is over. `began` gets the
/// time at which that starts: later, if a blocking check waits for a thread.
pub(super) async fn execute(
    check: &Arc<RegisteredCheck>,
    run: &Arc<Run>,
    executing: Executing,
    now: Instant,
    began: impl FnOnce(Instant),
) -> Vec<Report> {
    match &check.work {
        Work::Async(subscriber) => {
            began(now);
            let reports = poll(check, &**subscriber, run, now).await;
            drop(executing);
            reports
        }
        Work::Heartbeat(reader) => {
            began(now);
            let looked = reader.look(now, run.clock.resumed());
            drop(executing);
            vec![Report::of(
                &check.info.name,
                looked.map_or_else(|silence| silence.result(), |()| CheckResult::ok()),
            )]
        }
        Work::Peers(exchange) => {
            began(now);
            let reports = peers::exchange(check, exchange, run, now).await;
            drop(executing);
            reports
        }
        #[cfg(feature = "tokio")]
        Work::TokioRuntime(probe) => {
            began(now);
            let result = read(check, probe, run).await;
            drop(executing);
            vec![Report::of(&check.info.name, result)]
        }
        Work::Blocking(work) => {
            let work = work.clone();
            let info = check.info.clone();
            let job = move || {
                let mut event = HealthCheckEvent::default();
                if let Err(panicked) = catch(|| work(&mut event)) {
                    event.push(panic_report(&info.name, &panicked));
                }
                drop(executing);
                event.into_reports()
            };
            block(check, job, run, began).await
        }
    }
}

/// Polls a subscriber.
async fn poll(
    check: &RegisteredCheck,
    subscriber: &dyn HealthSubscriber,
    run: &Run,
    start: Instant,
) -> Vec<Report> {
    let mut event = HealthCheckEvent::default();
    match poll_in_time(check, run, start, || subscriber.on_health_check(&mut event)).await {
        Polled::Ready(()) => {}
        Polled::Panicked(panicked) => event.push(panic_report(&check.info.name, &panicked)),
        Polled::TimedOut => event.push(run.budget(check, start).timed_out(check)),
        Polled::Late => return vec![run.budget(check, start).timed_out(check)],
    }
    event.into_reports()
}

/// How the future of a check has ended.
pub(super) enum Polled<T> {
    Ready(T),
    Panicked(Panicked),
    /// It was dropped when its time was over.
    TimedOut,
    /// It was ready too late, because it had blocked its thread: no timer could end it.
    Late,
}

/// Polls the future that `make` returns in the task of the run, and drops it when its time is over.
pub(super) async fn poll_in_time<F>(
    check: &RegisteredCheck,
    run: &Run,
    start: Instant,
    make: impl FnOnce() -> F,
) -> Polled<F::Output>
where
    F: Future + Unpin,
{
    let clock = &run.clock;
    let mut future = Guarded::new(make);
    let mut is_late = false;
    let polled = poll_fn(|context| {
        clock.now();
        let budget = run.budget(check, start);
        let polled = Pin::new(&mut future).poll(context);
        is_late = budget.is_exceeded(clock.now_after_block());
        polled
    });
    let polled = clock.within(|| run.budget(check, start).end, polled).await;
    drop(future);
    match polled {
        Some(_) if is_late => Polled::Late,
        Some(Ok(output)) => Polled::Ready(output),
        Some(Err(panicked)) => Polled::Panicked(panicked),
        None => Polled::TimedOut,
    }
}

/// Runs a blocking check on a thread of the pool, and leaves it there when its time is over.
async fn block(
    check: &RegisteredCheck,
    job: impl FnOnce() -> Vec<Report> + Send + 'static,
    run: &Arc<Run>,
    began: impl FnOnce(Instant),
) -> Vec<Report> {
    let engine = &run.engine;
    let clock = &run.clock;
    let start = Arc::new(Promise::default());
    let end = Arc::new(Promise::default());
    let started = start.clone();
    let ended = end.clone();
    let waiting = run.clone();
    let context = Context::current();
    let job = AbandonedOnDrop(engine.blocking.submit(move || {
        let clock = waiting.engine.runtime();
        let now = clock.now();
        // A thread that becomes free after the end of the run must not start the check.
        if !waiting.is_closed_at(now) {
            started.set(now);
            let reports = context.enter(job);
            // Its span can close before the response is sent.
            drop(context);
            ended.set((clock.now(), reports));
        }
    }));

    let queued = clock.now();
    // A background run has no end: the check is tried again in the next period.
    let limit = || run.closes().or_else(|| run.budget(check, queued).end);
    let Some(start) = clock.within(limit, start.wait()).await else {
        return vec![check.failure("timed_out", "timed out before it could run")];
    };
    began(start);
    let budget = || run.budget(check, start);
    clock.within(|| budget().end, end.wait()).await;
    drop(job);
    // The end of the check counts: this task may have been delayed since.
    match end.get() {
        Some((ended, reports)) if !budget().is_exceeded(ended) => reports,
        _ => vec![budget().timed_out(check)],
    }
}

/// The result of a check that panicked, with advice where it misses its tokio runtime.
pub(super) fn panic_report(name: &str, panicked: &Panicked) -> Report {
    let advice = match panicked.contains("there is no reactor running") {
        true if cfg!(feature = "tokio") => {
            " (the check ran outside a tokio runtime: build, mount or request the endpoints inside one, or call \
             `Health::start_on_tokio` there)"
        }
        true => " (enable the feature `tokio` of `health-core`)",
        false => "",
    };
    Report::of(name, CheckResult::failure("panicked", format_args!("{panicked}{advice}")))
}

/// Gives the job up when its result is no longer needed: it does not start any more, or its thread no longer counts.
struct AbandonedOnDrop(Job);

impl Drop for AbandonedOnDrop {
    fn drop(&mut self) {
        self.0.give_up();
    }
}
