//! One execution of one check, held to its timeout (H12).

use std::sync::Arc;
use std::time::Instant;

use super::registered::{Registered, Rounded};
use crate::check::HealthSubscriber;
use crate::check::Work;
use crate::check::{HealthCheckEvent, Report};
use crate::run::Engine;
use crate::runtime::guard::{Guarded, catch};
use crate::runtime::pool::Job;
use crate::runtime::promise::Promise;
use crate::runtime::{after, until};

/// The time an execution has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeBudget {
    pub(crate) start: Instant,
    /// `None` for ever.
    pub(crate) end: Option<Instant>,
    /// Whether the end is that of the run, before the check's own.
    pub(crate) is_cut: bool,
}

impl TimeBudget {
    /// From `start` to the check's timeout, or to the end of the run if that is sooner.
    pub(crate) fn new(check: &Registered, start: Instant, closes: Option<Instant>) -> Self {
        let timeout = after(start, check.timeout);
        let end = [timeout, closes].into_iter().flatten().min();
        let is_cut = end != timeout;
        Self { start, end, is_cut }
    }

    /// The report of a check that used it up.
    pub(crate) fn used_up(self, check: &Registered) -> Report {
        let allowed = self
            .end
            .map(|end| Rounded(end.saturating_duration_since(self.start)));
        match allowed {
            Some(allowed) => check.failure(format_args!("timed out after {allowed}")),
            None => check.failure("timed out"),
        }
    }

    fn is_used_up(self, now: Instant) -> bool {
        self.end.is_some_and(|end| now > end)
    }
}

/// Executes `check`, and says what it reports: when its time is over at the latest, or at `closes`, when
/// the run is. `began` is told when that time starts to run.
///
/// While an earlier execution is under way, though its time is over, the check is not executed.
pub(crate) async fn execute(
    check: &Arc<Registered>,
    engine: &Engine,
    closes: Option<Instant>,
    began: impl FnOnce(TimeBudget),
) -> Vec<Report> {
    let now = engine.now();
    let flight = match check.flight.begin(now) {
        Ok(flight) => flight,
        Err(since) => {
            let age = Rounded(now.saturating_duration_since(since));
            return vec![check.failure(format_args!("still running since {age} ago"))];
        }
    };
    match &check.work {
        Work::Async(subscriber) => {
            let budget = TimeBudget::new(check, now, closes);
            began(budget);
            let reports = ask(check, &**subscriber, engine, budget).await;
            drop(flight);
            reports
        }
        Work::Blocking(work) => {
            let (work, reporting) = (work.clone(), check.clone());
            let job = move || {
                let mut event = HealthCheckEvent::default();
                if let Err(panicked) = catch(|| work(&mut event)) {
                    event.fail(&reporting.name, &panicked);
                }
                drop(flight);
                event.into_reports()
            };
            delegate(check, job, engine, closes, began).await
        }
    }
}

/// Polls a check in the run's own task. It is dropped when its time is over.
async fn ask(
    check: &Registered,
    subscriber: &dyn HealthSubscriber,
    engine: &Engine,
    budget: TimeBudget,
) -> Vec<Report> {
    let mut event = HealthCheckEvent::default();
    let asked = Guarded::new(|| subscriber.on_health_check(&mut event));
    let asked = until(&**engine.runtime(), budget.end, asked).await;
    if asked.is_some() && budget.is_used_up(engine.now()) {
        // It blocked its thread, so that no timer could end it: what it says comes too late.
        return vec![budget.used_up(check)];
    }
    match asked {
        Some(Ok(())) => {}
        Some(Err(panicked)) => event.fail(&check.name, &panicked),
        None => event.push(budget.used_up(check)),
    }
    event.into_reports()
}

/// Has a blocking check done on a thread of the endpoint's, and leaves it there when its time is over.
async fn delegate(
    check: &Registered,
    job: impl FnOnce() -> Vec<Report> + Send + 'static,
    engine: &Engine,
    closes: Option<Instant>,
    began: impl FnOnce(TimeBudget),
) -> Vec<Report> {
    let (start, end) = (Arc::new(Promise::default()), Arc::new(Promise::default()));
    let (started, ended) = (start.clone(), end.clone());
    let clock = engine.runtime().clone();
    let job = Delegated(engine.blocking.submit(move || {
        let now = clock.now();
        // A thread that comes free as the run ends must not begin anything for nobody.
        if closes.is_none_or(|closes| now < closes) {
            started.set(now);
            let reports = job();
            ended.set((clock.now(), reports));
        }
    }));

    // In the background there is no end of the run: it tries again in the next period.
    let limit = closes.or_else(|| after(engine.now(), check.timeout));
    let Some(start) = until(&**engine.runtime(), limit, start.wait()).await else {
        return vec![check.failure("timed out before it could run")];
    };
    let budget = TimeBudget::new(check, start, closes);
    began(budget);
    until(&**engine.runtime(), budget.end, end.wait()).await;
    drop(job);
    // Judged by when it ended: this task may have been kept from looking.
    match end.get() {
        Some((ended, reports)) if !budget.is_used_up(ended) => reports,
        _ => vec![budget.used_up(check)],
    }
}

/// A job that nobody waits for any more does not hold up others: it is never begun, or no longer counts.
struct Delegated(Job);

impl Drop for Delegated {
    fn drop(&mut self) {
        self.0.give_up();
    }
}
