//! Sources of maintenance that the application brings (H19).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use super::episode::Episode;
use super::prober::{Probe, Prober};
use crate::log::LogRecord;
use crate::runtime::Runtime;
use crate::runtime::guard::{Panicked, catch};

/// Something that can put the host into maintenance, beside the disablefile and the
/// [switch](crate::MaintenanceSwitch).
///
/// It is asked for each request that has to know, so it has to answer from what it knows: a flag, a file in memory. What
/// watches something remote does so in its own time, and turns the switch; `health-axum` has an example
/// that flips a whole fleet through Redis.
///
/// It is called on a thread of the library's own, never twice side by side. One that panics, or that takes longer
/// than [the stat may](crate::HealthBuilder::maintenance_timeout) to begin or to answer, leaves what it said last standing, with one WARN per episode; one
/// that has never said anything is taken for a maintenance, because nobody has seen that there is none.
///
/// ```
/// use health_core::{Health, MaintenanceSource};
///
/// /// In maintenance on an odd day of the month.
/// struct OddDays(fn() -> u8);
///
/// impl MaintenanceSource for OddDays {
///     fn is_active(&self) -> bool {
///         (self.0)() % 2 == 1
///     }
///
///     fn name(&self) -> &str {
///         "odd-days"
///     }
/// }
///
/// let health = Health::builder().maintenance_source(OddDays(|| 2)).build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
pub trait MaintenanceSource: Send + Sync + 'static {
    /// Whether the host is in maintenance.
    fn is_active(&self) -> bool;

    /// What the log calls it when it panics or hangs; asked once, when the endpoints are built. Default: the name of its type.
    fn name(&self) -> &str {
        std::any::type_name::<Self>()
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

/// Asks the source, on the prober's thread.
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
        // A name that panics is as good as none.
        let name = catch(|| source.name().to_owned()).unwrap_or_default();
        let probe = SourceProbe {
            source,
            last: last.clone(),
        };
        Self {
            name,
            prober: Prober::new("health-source", probe, limit),
            limit,
            last,
            panicking: Episode::default(),
            hanging: Episode::default(),
        }
    }

    /// Whether the host is in maintenance according to the source, and what there is to warn of.
    pub(super) async fn observe(&self, runtime: &Arc<dyn Runtime>) -> (bool, Option<LogRecord>) {
        let answer = self.prober.probe(runtime).await;
        self.conclude(answer)
    }

    /// `None` is an answer that took too long.
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
