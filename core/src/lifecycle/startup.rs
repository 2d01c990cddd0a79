//! Start-up latches: the application is not healthy until its start is over (H18).

use std::error::Error;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};

use crate::runtime::guard::catch;
use crate::runtime::process::PerProcess;
use crate::runtime::promise::Promise;
use crate::runtime::sync::{AtomicU8, fence};
use crate::state::StateChanges;
use crate::text::cut_error;

/// A part of the start that must be done before the application gets traffic, such as migrations or a warm cache.
///
/// The endpoints show [`State::Starting`](crate::State::Starting) until every latch that
/// [the builder got](crate::HealthBuilder::latch) is released. [Failing](Self::fail) a latch, or dropping it without
/// releasing it, for example through a panic or an early return, marks the start as failed, permanently: instead of
/// starting, the endpoints show [`State::Failing`](crate::State::Failing), unless they show maintenance or a drain. A
/// leaked latch keeps them in `Starting`; every log record names it. An endpoint that ignores starting, such as a
/// liveness endpoint, shows neither; a startup probe makes the orchestrator restart the process.
///
/// ```
/// use health_core::{Endpoint, Health, StartupLatch, State};
/// # fn migrate() -> Result<(), std::io::Error> { Ok(()) }
///
/// let migrations = StartupLatch::new("migrations");
/// let health = Health::builder()
///     .endpoint(Endpoint::readiness("/ready"))
///     .latch(&migrations)
///     .build()?;
/// let ready = health.at("/ready").ok_or("it was added")?;
///
/// # futures::executor::block_on(async {
/// assert_eq!(ready.respond("").await.state(), State::Starting);
/// match migrate() {
///     Ok(()) => migrations.release(),
///     Err(error) => migrations.fail(error), // the log shows the error
/// }
/// assert_eq!(ready.respond("").await.state(), State::Ok);
/// # });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a latch without releasing it marks the start as failed"]
pub struct StartupLatch(Arc<Latched>);

/// The state that a latch and the endpoints share.
pub(crate) struct Latched {
    pub(crate) name: String,
    progress: AtomicU8,
    /// Why the latch has failed.
    error: OnceLock<String>,
    applications: Applications,
}

const PENDING: u8 = 0;
const RELEASED: u8 = 1;
/// Failed or dropped.
const UNRELEASABLE: u8 = 2;

impl StartupLatch {
    /// Creates a latch that is not released. The log shows its name. An invalid name is an error when the endpoints are
    /// built.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Arc::new(Latched {
            name: name.into(),
            progress: AtomicU8::new(PENDING),
            error: OnceLock::new(),
            applications: Applications::default(),
        }))
    }

    /// Marks this part of the start as done. The release of the last latch runs the
    /// [background checks](crate::Check::every) again at once ([H14](crate::contract#h14)).
    pub fn release(self) {
        self.0.end(RELEASED);
    }

    /// Marks the start as failed, permanently. The log shows `error`, which is an error or a text, with its
    /// [causes](Error::source) on one line, cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN)
    /// ([H18](crate::contract#h18)).
    pub fn fail(self, error: impl Into<Box<dyn Error + Send + Sync>>) {
        let text = catch(|| cut_error(&*error.into())).unwrap_or_else(|panic| panic.to_string());
        let _ = self.0.error.set(text);
        self.0.end(UNRELEASABLE);
    }

    pub(crate) fn shared(&self) -> Arc<Latched> {
        self.0.clone()
    }
}

impl Drop for StartupLatch {
    fn drop(&mut self) {
        self.0.end(UNRELEASABLE);
    }
}

impl fmt::Debug for StartupLatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StartupLatch").field(&self.0.name).finish()
    }
}

impl Latched {
    /// Why the latch has failed; `None` if it was dropped.
    pub(crate) fn error(&self) -> Option<&str> {
        self.error.get().map(String::as_str)
    }

    fn is_released(&self) -> bool {
        self.progress.load(Ordering::Acquire) == RELEASED
    }

    /// Has no effect on a latch that was released, failed or dropped before.
    fn end(&self, progress: u8) {
        let ended =
            self.progress.compare_exchange(PENDING, progress, Ordering::Release, Ordering::Relaxed);
        if ended.is_ok() {
            // Of two latches that are released at the same time, at least one sees the other's release; and a release
            // sees an application that is built at the same time, or the application sees the release.
            fence(Ordering::SeqCst);
            self.applications.latch_has_ended();
        }
    }
}

impl fmt::Debug for Latched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The applications that a latch belongs to: a list that grows at its end. It has no lock, because the child of a fork
/// may release a latch.
#[derive(Default)]
struct Applications(OnceLock<Box<(Weak<LastRelease>, Applications)>>);

impl Applications {
    fn add(&self, release: &Arc<LastRelease>) {
        let mut end = self;
        let mut entry = Box::new((Arc::downgrade(release), Self::default()));
        while let Err(refused) = end.0.set(entry) {
            entry = refused;
            if let Some(taken) = end.0.get() {
                end = &taken.1;
            }
        }
    }

    fn latch_has_ended(&self) {
        let mut rest = self;
        while let Some(entry) = rest.0.get() {
            if let Some(release) = entry.0.upgrade() {
                release.latch_has_ended();
            }
            rest = &entry.1;
        }
    }
}

/// The release of the last latch of an application.
pub(crate) struct LastRelease {
    latches: Vec<Arc<Latched>>,
    /// The child of a fork may release a copy of a latch that its parent holds.
    promise: PerProcess<Promise<()>>,
    changes: StateChanges,
}

impl LastRelease {
    /// The end of each latch announces its `changes`.
    pub(crate) fn of(latches: Vec<Arc<Latched>>, changes: StateChanges) -> Arc<Self> {
        let release = Arc::new(Self { latches, promise: PerProcess::new(), changes });
        for latch in &release.latches {
            latch.applications.add(&release);
        }
        fence(Ordering::SeqCst);
        release
    }

    /// Set by the release of the last latch; `None` if all latches are released.
    pub(crate) fn awaited(&self) -> Option<&Promise<()>> {
        (!self.is_over()).then(|| self.promise.get_or_make(Promise::default))
    }

    fn is_over(&self) -> bool {
        self.latches.iter().all(|latch| latch.is_released())
    }

    fn latch_has_ended(&self) {
        if self.is_over() {
            self.promise.get_or_make(Promise::default).set(());
        }
        self.changes.announce();
    }
}

impl fmt::Debug for LastRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "release of {} latches", self.latches.len())
    }
}

/// All latches of an application.
pub(crate) struct Gate(Vec<Arc<Latched>>);

impl Gate {
    pub(crate) fn new(latches: Vec<Arc<Latched>>) -> Self {
        Self(latches)
    }

    /// The name of each latch, and whether it is released.
    #[cfg(feature = "metrics")]
    pub(crate) fn latches(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().map(|latch| (latch.name.as_str(), latch.is_released()))
    }

    /// The latches that are not released: the failed and dropped ones if there are any. `None` if all are released.
    pub(crate) fn unreleased(&self) -> Option<Unreleased> {
        if self.0.iter().all(|latch| latch.is_released()) {
            return None;
        }
        let with = |progress| -> Vec<Arc<Latched>> {
            self.0
                .iter()
                .filter(|latch| latch.progress.load(Ordering::Acquire) == progress)
                .cloned()
                .collect()
        };
        // In this order: a latch that is dropped in between is found twice rather than not at all.
        let pending = with(PENDING);
        let unreleasable = with(UNRELEASABLE);
        // Such a latch will never be released, whatever the others do.
        let (start, latches) = if unreleasable.is_empty() {
            (Start::UnderWay, pending)
        } else {
            (Start::Failed, unreleasable)
        };
        (!latches.is_empty()).then_some(Unreleased { start, latches })
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} latches", self.0.len())
    }
}

/// A start that is not over.
#[derive(Debug, Clone)]
pub(crate) struct Unreleased {
    pub(crate) start: Start,
    /// The held latches, or, after a failed start, the failed and dropped ones.
    pub(crate) latches: Vec<Arc<Latched>>,
}

impl Unreleased {
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.latches.iter().map(|latch| latch.name.as_str())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    UnderWay,
    Failed,
}

#[cfg(test)]
mod tests;
