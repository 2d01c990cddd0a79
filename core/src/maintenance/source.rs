//! Maintenance sources of the application (H19).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use super::episode::Episode;
use super::prober::{Probe, Prober};
use crate::log::LogRecord;
use crate::runtime::Runtime;
use crate::runtime::guard::{Panicked, catch};

/// A source of maintenance besides the disablefile and the [switch](crate::MaintenanceSwitch): a closure, or a
/// type with a name for the log.
///
/// It is called for each request that needs its answer, so it should answer from memory, for example from a flag. A
/// source that watches something remote should do so on its own schedule and turn the switch; `health-axum` has an
/// example that flips a whole fleet through Redis.
///
/// It is called on a thread of the library, one call at a time. If it panics, or exceeds the
/// [timeout](crate::HealthBuilder::maintenance_timeout) to begin or to answer, its previous answer is used and one
/// warning is logged per episode. Before its first answer a source counts as active ([H19](crate::contract#h19)).
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// use health_core::{Health, MaintenanceSource};
///
/// struct NightlyBatch(Arc<AtomicBool>);
///
/// impl MaintenanceSource for NightlyBatch {
///     fn is_active(&self) -> bool {
///         self.0.load(Ordering::Relaxed)
///     }
///
///     fn name(&self) -> &str {
///         "nightly-batch"
///     }
/// }
///
/// let (batch, import) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
/// let health = Health::builder()
///     .maintenance_source(NightlyBatch(batch))
///     .maintenance_source(move || import.load(Ordering::Relaxed))
///     .build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
pub trait MaintenanceSource: Send + Sync + 'static {
    /// Whether the host is in maintenance.
    fn is_active(&self) -> bool;

    /// The name in the log, when the source panics or hangs. It is called once, when the endpoints are built. Default:
    /// the name of the type, which for a closure is that of the function around it.
    fn name(&self) -> &str {
        std::any::type_name::<Self>()
    }
}

impl<F: Fn() -> bool + Send + Sync + 'static> MaintenanceSource for F {
    fn is_active(&self) -> bool {
        self()
    }
}

/// A source, and its last answer.
pub(super) struct Source {
    name: String,
    prober: Prober<SourceProbe>,
    limit: Duration,
    last: Arc<LastAnswer>,
    panicking: Episode,
    hanging: Episode,
}

/// The last answer of a source, also when it came too late.
struct LastAnswer(AtomicU8);

const NONE: u8 = 0;
const INACTIVE: u8 = 1;
const ACTIVE: u8 = 2;

impl LastAnswer {
    fn is_active(&self) -> bool {
        self.0.load(Ordering::Acquire) != INACTIVE
    }

    fn remember(&self, is_active: bool) {
        let answer = if is_active { ACTIVE } else { INACTIVE };
        self.0.store(answer, Ordering::Release);
    }
}

/// Calls the source on the thread of the prober.
struct SourceProbe {
    source: Arc<dyn MaintenanceSource>,
    last: Arc<LastAnswer>,
}

impl Probe for SourceProbe {
    type Output = Result<bool, Arc<Panicked>>;

    fn probe(&self, _: &dyn Runtime, _: Instant) -> Self::Output {
        let answer = catch(|| self.source.is_active()).map_err(Arc::new)?;
        self.last.remember(answer);
        Ok(answer)
    }
}

impl Source {
    pub(super) fn new(source: Arc<dyn MaintenanceSource>, limit: Duration) -> Self {
        let last = Arc::new(LastAnswer(AtomicU8::new(NONE)));
        // If `name` panics, the source has no name.
        let name = catch(|| source.name().to_owned()).unwrap_or_default();
        let probe = SourceProbe { source, last: last.clone() };
        Self {
            name,
            prober: Prober::new("health-source", probe, limit),
            limit,
            last,
            panicking: Episode::default(),
            hanging: Episode::default(),
        }
    }

    /// Whether the source is active, and a warning if one is due.
    pub(super) async fn observe(&self, runtime: &Arc<dyn Runtime>) -> (bool, Option<LogRecord>) {
        let answer = self.prober.probe(runtime).await;
        self.conclude(answer)
    }

    /// `None` if the call took too long.
    fn conclude(&self, answer: Option<Result<bool, Arc<Panicked>>>) -> (bool, Option<LogRecord>) {
        let last = self.last.is_active();
        let Some(answer) = answer else {
            let begins = self.hanging.begins();
            let warning = begins.then(|| LogRecord::source_hangs(&self.name, self.limit, last));
            return (last, warning);
        };
        self.hanging.end();
        match answer {
            Ok(is_active) => {
                self.panicking.end();
                (is_active, None)
            }
            Err(panicked) => {
                let begins = self.panicking.begins();
                let warning =
                    begins.then(|| LogRecord::source_panics(&self.name, &*panicked, last));
                (last, warning)
            }
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests;
