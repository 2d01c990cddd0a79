//! For those who want to be told: metrics, alerts.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::check::Report;
use crate::decision::Verdict;
use crate::log::LogRecord;
use crate::runtime::guard::catch;
use crate::runtime::pool::Pool;
use crate::runtime::sync::{Mutex, lock};

/// Somebody who is told what the checks say. Both methods do nothing unless they are implemented.
///
/// They are called on a thread of the observer's own, one after the other, in the order in which things
/// happened. An observer that panics is told the next thing all the same. One that is slow holds up
/// nobody: while it is 1,000 notices behind it misses what checks say, which is logged at WARN, once until it has
/// caught up; a change of the verdict that it missed it is told then.
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
    /// How long it took; where its deadline was over, until it was no longer waited for.
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
    /// The verdict it knows of.
    told: Mutex<Option<Verdict>>,
    is_behind: AtomicBool,
    warning_is_due: AtomicBool,
}

impl Observers {
    pub(crate) fn add(&mut self, observer: impl HealthObserver) {
        self.0.push(Observed {
            observer: Arc::new(observer),
            thread: Pool::new("health-observer", 1),
            backlog: Arc::default(),
            told: Mutex::new(None),
            is_behind: AtomicBool::new(false),
            warning_is_due: AtomicBool::new(false),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Hands the notice over: none of an observer's own code runs here.
    pub(crate) fn tell_finished(&self, finished: &CheckFinished) {
        for observed in &self.0 {
            let finished = finished.clone();
            observed.tell(move |observer| observer.check_finished(finished));
        }
    }

    /// Hands over what the verdict is, to whom it is new. Who could not take it is told the next time.
    pub(crate) fn tell_verdict(&self, now: Verdict) {
        for observed in &self.0 {
            let mut told = lock(&observed.told);
            let before = *told;
            let changed = VerdictChanged { before, now };
            if before != Some(now)
                && observed.tell(move |observer| observer.verdict_changed(changed))
            {
                *told = Some(now);
            }
        }
    }

    /// Logs who does not keep up, once an episode: to be called behind all locks, because a log is foreign code.
    pub(crate) fn warn(&self) {
        for observed in &self.0 {
            if observed.warning_is_due.swap(false, Ordering::SeqCst) {
                let _ = catch(|| LogRecord::observer_is_slow(BACKLOG).emit());
            }
        }
    }
}

impl Observed {
    /// Whether it has room for the notice.
    fn tell(&self, notice: impl FnOnce(&dyn HealthObserver) + Send + 'static) -> bool {
        let backlog = self.backlog.load(Ordering::SeqCst);
        if backlog >= BACKLOG {
            if !self.is_behind.swap(true, Ordering::SeqCst) {
                self.warning_is_due.store(true, Ordering::SeqCst);
            }
            return false;
        }
        if backlog == 0 {
            self.is_behind.store(false, Ordering::SeqCst);
        }
        self.backlog.fetch_add(1, Ordering::SeqCst);
        let told = Told(self.backlog.clone());
        let observer = self.observer.clone();
        // The pool contains the panic of a job.
        self.thread.submit(move || {
            let _told = told;
            notice(&*observer);
        });
        true
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
