//! Notifications for metrics and alerts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::check::{CheckInfo, Report};
use crate::decision::Verdict;
use crate::log::LogRecord;
use crate::runtime::guard::catch;
use crate::runtime::pool::Pool;
use crate::runtime::process::PerProcess;
use crate::runtime::sync::{Mutex, lock};
use crate::state::State;

/// Gets a notification of each execution of a check, and of each change of the verdict; a [state
/// observer](crate::HealthBuilder::state_observer) gets those of the states of endpoints instead. A closure is an
/// observer:
///
/// ```
/// use health_core::{Health, Notification};
///
/// let health = Health::builder()
///     .observer(|notification| match notification {
///         Notification::CheckFinished(finished) => {
///             println!("{} took {:?}", finished.check.name, finished.duration);
///         }
///         Notification::VerdictChanged(changed) => println!("now {}", changed.now),
///         _ => {}
///     })
///     .build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
///
/// Each observer has its own thread and gets its notifications one after the other, in order. A panic does not end it.
/// A slow observer does not delay checks. When its queue is full (1,000 notifications), check results are dropped and
/// one warning is logged. If the verdict changes then, the observer gets the current verdict after the next run that
/// finds room in its queue.
pub trait HealthObserver: Send + Sync + 'static {
    /// Handles a notification. It may block: see above.
    fn notify(&self, notification: Notification);
}

impl<F: Fn(Notification) + Send + Sync + 'static> HealthObserver for F {
    fn notify(&self, notification: Notification) {
        self(notification);
    }
}

/// A notification for an observer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// A check was executed, or could not be because an earlier execution still runs.
    CheckFinished(CheckFinished),
    /// The verdict on all checks has changed.
    VerdictChanged(VerdictChanged),
    /// The state of an endpoint has changed. Only a [state observer](crate::HealthBuilder::state_observer) gets it.
    StateChanged(StateChanged),
}

/// One execution of a check. Clones are cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckFinished {
    /// The check.
    pub check: Arc<CheckInfo>,
    /// The results as they count ([H15](crate::contract#h15)): one for a check, any number for a subscriber.
    pub reports: Arc<[Report]>,
    /// The duration; up to the timeout for an execution that exceeds it.
    pub duration: Duration,
    /// The time at which the result was known.
    pub finished_at: Instant,
    /// The end of the execution since which the check counts as failing ([H15](crate::contract#h15)); `None` if it does
    /// not.
    pub failing_since: Option<Instant>,
}

/// A change of the verdict. A check that runs on request counts with its last result; a background check with that of
/// its last period. A maintenance does not change the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerdictChanged {
    /// The former verdict; `None` for the first.
    pub before: Option<Verdict>,
    /// The new verdict.
    pub now: Verdict,
    /// The time of the run after which it was found.
    pub at: Instant,
}

/// A change of the state of an endpoint, as a [`Watch`](crate::Watch) of the endpoint sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateChanged {
    /// The path of the endpoint.
    pub path: Arc<str>,
    /// The former state; `None` for the first.
    pub before: Option<State>,
    /// The new state.
    pub now: State,
    /// The time at which it was found.
    pub at: Instant,
    /// How long the former state lasted; `None` for the first.
    pub before_lasted: Option<Duration>,
    /// The log record of a response in the new state: it names the held latches, or contains the results of the checks.
    /// It may contain secrets.
    pub record: LogRecord,
}

/// The most notifications that wait for one observer.
const MAX_QUEUE: usize = 1000;

/// All observers of an application.
#[derive(Default)]
pub(crate) struct Observers(Vec<Observed>);

struct Observed {
    observer: Arc<dyn HealthObserver>,
    thread: Pool,
    /// A child of a fork does not deliver what its parent queued.
    queued: PerProcess<Arc<AtomicUsize>>,
    known_verdict: PerProcess<Mutex<Option<Verdict>>>,
    known_states: PerProcess<Mutex<KnownStates>>,
    is_behind: AtomicBool,
    warning_is_due: AtomicBool,
}

/// By the path of the endpoint, each with the time at which it was found.
type KnownStates = BTreeMap<Arc<str>, (State, Instant)>;

impl Observers {
    pub(crate) fn add(&mut self, observer: impl HealthObserver) {
        self.0.push(Observed {
            observer: Arc::new(observer),
            thread: Pool::new("health-observer", 1),
            queued: PerProcess::new(),
            known_verdict: PerProcess::new(),
            known_states: PerProcess::new(),
            is_behind: AtomicBool::new(false),
            warning_is_due: AtomicBool::new(false),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Queues a notification for each observer; no code of an observer runs here.
    pub(crate) fn check_finished(&self, finished: CheckFinished) {
        if let Some((last, others)) = self.0.split_last() {
            for observed in others {
                observed.queue(Notification::CheckFinished(finished.clone()));
            }
            last.queue(Notification::CheckFinished(finished));
        }
    }

    /// Queues the verdict for each observer to which it is new. An observer whose queue is full gets it the next time.
    pub(crate) fn verdict(&self, now: Verdict, at: Instant) {
        for observed in &self.0 {
            let mut known = lock(observed.known_verdict.get_or_make(Mutex::default));
            let changed = VerdictChanged { before: *known, now, at };
            if *known != Some(now) && observed.queue(Notification::VerdictChanged(changed)) {
                *known = Some(now);
            }
        }
    }

    /// Queues the state of an endpoint for each observer to which it is new. An observer whose queue is full gets it the
    /// next time.
    pub(crate) fn state(
        &self,
        path: &str,
        now: State,
        at: Instant,
        record: impl Fn() -> LogRecord,
    ) {
        for observed in &self.0 {
            let mut known = lock(observed.known_states.get_or_make(Mutex::default));
            let before = known.get(path).copied();
            if before.is_some_and(|(before, _)| before == now) {
                continue;
            }
            let path: Arc<str> = path.into();
            let changed = StateChanged {
                path: path.clone(),
                before: before.map(|(before, _)| before),
                now,
                at,
                before_lasted: before.map(|(_, since)| at.saturating_duration_since(since)),
                record: record(),
            };
            if observed.queue(Notification::StateChanged(changed)) {
                known.insert(path, (now, at));
            }
        }
    }

    /// Logs which observers are slow, once per episode. Call it without a lock: a log is code of the application.
    pub(crate) fn warn(&self) {
        for observed in &self.0 {
            if observed.warning_is_due.swap(false, Ordering::SeqCst) {
                let _ = catch(|| LogRecord::observer_is_slow(MAX_QUEUE).emit());
            }
        }
    }
}

impl Observed {
    /// Whether the queue has room for the notification.
    fn queue(&self, notification: Notification) -> bool {
        let counter = self.queued.get_or_make(Arc::default);
        let queued = counter.load(Ordering::SeqCst);
        if queued >= MAX_QUEUE {
            if !self.is_behind.swap(true, Ordering::SeqCst) {
                self.warning_is_due.store(true, Ordering::SeqCst);
            }
            return false;
        }
        if queued == 0 {
            self.is_behind.store(false, Ordering::SeqCst);
        }
        counter.fetch_add(1, Ordering::SeqCst);
        let leaves_queue = LeavesQueue(counter.clone());
        let observer = self.observer.clone();
        // The pool contains the panic of a job.
        self.thread.submit(move || {
            let _leaves_queue = leaves_queue;
            observer.notify(notification);
        });
        true
    }
}

/// Counts a notification as delivered, even if the observer panics.
struct LeavesQueue(Arc<AtomicUsize>);

impl Drop for LeavesQueue {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} observers", self.0.len())
    }
}
