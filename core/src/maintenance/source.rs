//! Sources of maintenance that the application brings (H19).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use super::episode::Episode;
use super::prober::{Lookout, Prober};
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

/// A source, and what it said.
pub(super) struct Asked {
    name: String,
    prober: Prober<Guarded>,
    limit: Duration,
    last: Arc<Last>,
    panicking: Episode,
    hanging: Episode,
}

/// What a source said last, also when that came too late.
struct Last(AtomicU8);

const NOTHING: u8 = 0;
const INACTIVE: u8 = 1;
const ACTIVE: u8 = 2;

impl Last {
    fn is_active(&self) -> bool {
        self.0.load(Ordering::Acquire) != INACTIVE
    }

    fn remember(&self, is_active: bool) {
        let said = if is_active { ACTIVE } else { INACTIVE };
        self.0.store(said, Ordering::Release);
    }
}

/// Asks, on the prober's thread.
struct Guarded {
    source: Arc<dyn MaintenanceSource>,
    last: Arc<Last>,
}

impl Lookout for Guarded {
    type Sighting = Result<bool, Arc<Panicked>>;

    fn look(&self, _: &dyn Runtime, _: Instant) -> Self::Sighting {
        let answer = catch(|| self.source.is_active()).map_err(Arc::new)?;
        self.last.remember(answer);
        Ok(answer)
    }
}

impl Asked {
    pub(super) fn new(source: Arc<dyn MaintenanceSource>, limit: Duration) -> Self {
        let last = Arc::new(Last(AtomicU8::new(NOTHING)));
        // A name that panics is as good as none.
        let name = catch(|| source.name().to_owned()).unwrap_or_default();
        let guarded = Guarded {
            source,
            last: last.clone(),
        };
        Self {
            name,
            prober: Prober::new("health-source", guarded, limit),
            limit,
            last,
            panicking: Episode::default(),
            hanging: Episode::default(),
        }
    }

    /// Whether it says that the host is in maintenance, and what there is to warn of.
    pub(super) async fn observe(&self, runtime: &Arc<dyn Runtime>) -> (bool, Option<LogRecord>) {
        let sighting = self.prober.look(runtime).await;
        self.conclude(sighting)
    }

    /// `None` is an answer that took too long.
    fn conclude(&self, sighting: Option<Result<bool, Arc<Panicked>>>) -> (bool, Option<LogRecord>) {
        let last = self.last.is_active();
        let Some(answer) = sighting else {
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

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::mpsc::{Receiver, channel};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use futures::executor::block_on;

    use super::{Asked, MaintenanceSource};
    use crate::runtime::{Runtime, ThreadRuntime};

    const LIMIT: Duration = Duration::from_secs(60);

    fn observe(asked: &Asked) -> (bool, Option<String>) {
        let runtime: Arc<dyn Runtime> = Arc::new(ThreadRuntime);
        let (is_active, warning) = block_on(asked.observe(&runtime));
        (is_active, warning.map(|record| record.text().to_owned()))
    }

    /// Reply what is next, and panics where that is nothing.
    struct Scripted(Mutex<VecDeque<Option<bool>>>);

    impl MaintenanceSource for Scripted {
        fn is_active(&self) -> bool {
            let next = self.0.lock().unwrap().pop_front().unwrap();
            next.unwrap_or_else(|| std::panic::resume_unwind(Box::new("quietly")))
        }

        fn name(&self) -> &str {
            "scripted"
        }
    }

    fn scripted<const N: usize>(answers: [Option<bool>; N]) -> Asked {
        Asked::new(Arc::new(Scripted(Mutex::new(answers.into()))), LIMIT)
    }

    #[test]
    fn a_source_that_panics_leaves_what_it_said_last_and_warns_once_an_episode() {
        let asked = scripted([Some(false), None, None, Some(true), None, Some(false)]);
        let answers: Vec<_> = (0..6).map(|_| observe(&asked)).collect();
        let states = answers.iter().map(|(is_active, _)| *is_active);
        let expected = [false, false, false, true, true, false];
        assert_eq!(states.collect::<Vec<_>>(), expected);
        let warned = answers.iter().map(|(_, warning)| warning.is_some());
        let expected = [false, true, false, false, true, false];
        assert_eq!(warned.collect::<Vec<_>>(), expected);
        let warning = answers[1].1.as_ref().unwrap();
        assert!(
            warning.contains("\"scripted\"") && warning.contains("quietly"),
            "{warning}"
        );
        assert!(warning.contains("as not in maintenance"), "{warning}");
    }

    #[test]
    fn a_source_that_has_never_said_anything_is_taken_for_a_maintenance() {
        let asked = scripted([None, Some(false)]);
        let (is_active, warning) = observe(&asked);
        assert!(is_active && warning.unwrap().contains("as in maintenance"));
        assert_eq!(observe(&asked), (false, None));
    }

    #[test]
    fn each_episode_of_silence_has_its_warning() {
        let asked = scripted([]);
        let warned = |sighting| asked.conclude(sighting).1.is_some();
        assert!(warned(None));
        assert!(!warned(None));
        assert!(!warned(Some(Ok(false))));
        assert!(warned(None));
    }

    /// Reply what it is sent, when it is sent it.
    struct Slow(Mutex<Receiver<bool>>);

    impl MaintenanceSource for Slow {
        fn is_active(&self) -> bool {
            self.0.lock().unwrap().recv().unwrap_or_default()
        }
    }

    #[test]
    fn a_source_that_blocks_holds_up_nobody_and_warns_once_an_episode() {
        let (answer, answers) = channel();
        let slow = Arc::new(Slow(Mutex::new(answers)));
        let asked = Asked::new(slow, Duration::from_millis(20));
        let (is_active, warning) = observe(&asked);
        assert!(is_active && warning.is_some());
        for _ in 0..100 {
            assert_eq!(observe(&asked), (true, None));
        }
        // One answer for the look that is stuck, others for the one that waits behind it, and for ours.
        for _ in 0..3 {
            answer.send(false).unwrap();
        }
        while observe(&asked) != (false, None) {
            answer.send(false).unwrap();
        }
    }
}
