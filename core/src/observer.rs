//! For those who want to be told: metrics, alerts.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::decision::Verdict;
use crate::event::Report;
use crate::log::LogRecord;
use crate::pool::Pool;

/// Somebody who is told what the checks say. Both methods do nothing unless they are implemented.
///
/// They are called on a thread of the observer's own, one after the other, in the order in which things
/// happened. An observer that panics is told the next thing all the same. One that is slow holds up
/// nobody: while it is 1,000 notices behind it misses what happens, which is logged at WARN.
///
/// ```
/// use health_core::{CheckFinished, Health, HealthObserver, VerdictChanged};
///
/// struct Metrics;
///
/// impl HealthObserver for Metrics {
///     fn check_finished(&self, finished: CheckFinished) {
///         println!("{} took {:?}", finished.check, finished.duration);
///     }
///
///     fn verdict_changed(&self, changed: VerdictChanged) {
///         println!("now {:?}", changed.now);
///     }
/// }
///
/// let health = Health::builder().observer(Metrics).build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
pub trait HealthObserver: Send + Sync + 'static {
    /// A check was executed, or could not be because it is still running.
    fn check_finished(&self, finished: CheckFinished) {
        let _ = finished;
    }

    /// The checks together come to another verdict than before.
    ///
    /// A check that runs on request counts as it did when it was last asked; a background check, as it
    /// did in its last period. A maintenance is no verdict of checks.
    fn verdict_changed(&self, changed: VerdictChanged) {
        let _ = changed;
    }
}

/// One execution of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckFinished {
    /// The check's name, or the type of a subscriber that has none.
    pub check: String,
    /// What counts of it (H15): of a check one report, of a subscriber any number.
    pub reports: Vec<Report>,
    /// How long it took; its deadline, where that was over.
    pub duration: Duration,
}

/// A change of the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerdictChanged {
    /// What it was; `None` when this is the first.
    pub before: Option<Verdict>,
    /// What it is.
    pub now: Verdict,
}

/// The most notices that wait for one observer.
const BACKLOG: usize = 1000;

/// All observers of an endpoint.
#[derive(Default)]
pub(crate) struct Observers(Vec<Observed>);

struct Observed {
    observer: Arc<dyn HealthObserver>,
    thread: Pool,
    backlog: Arc<AtomicUsize>,
    is_behind: AtomicBool,
}

impl Observers {
    pub(crate) fn add(&mut self, observer: impl HealthObserver) {
        self.0.push(Observed {
            observer: Arc::new(observer),
            thread: Pool::new("health-observer", 1),
            backlog: Arc::default(),
            is_behind: AtomicBool::new(false),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn tell_finished(&self, finished: &CheckFinished) {
        for observed in &self.0 {
            let finished = finished.clone();
            observed.tell(move |observer| observer.check_finished(finished));
        }
    }

    pub(crate) fn tell_changed(&self, changed: VerdictChanged) {
        for observed in &self.0 {
            observed.tell(move |observer| observer.verdict_changed(changed));
        }
    }
}

impl Observed {
    fn tell(&self, notice: impl FnOnce(&dyn HealthObserver) + Send + 'static) {
        if self.backlog.load(Ordering::SeqCst) >= BACKLOG {
            if !self.is_behind.swap(true, Ordering::SeqCst) {
                LogRecord::observer_is_slow(BACKLOG).emit();
            }
            return;
        }
        self.is_behind.store(false, Ordering::SeqCst);
        self.backlog.fetch_add(1, Ordering::SeqCst);
        let told = Told(self.backlog.clone());
        let observer = self.observer.clone();
        // The pool contains the panic of a job.
        self.thread.submit(move || {
            let _told = told;
            notice(&*observer);
        });
    }
}

/// Counts a notice off, also one whose observer panics.
struct Told(Arc<AtomicUsize>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} observers", self.0.len())
    }
}
