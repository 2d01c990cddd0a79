//! The check of a tokio runtime: how long it takes to run a task.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::{Check, Work};
use crate::runtime::Runtime;
use crate::runtime::promise::Promise;
use crate::runtime::sync::{Mutex, lock};

/// The longest period of the check.
const MAX_PERIOD: Duration = Duration::from_secs(1);

/// The shortest period of the check.
const MIN_PERIOD: Duration = Duration::from_millis(1);

/// A task that takes longer to run is reported as slow.
const SLOW: Duration = Duration::from_millis(100);

/// One reading is no evidence: a task must be unanswered in this many.
const MIN_READINGS: u32 = 3;

/// See the [module's doc](self).
pub(crate) struct TokioProbe {
    pub(crate) expiry: Duration,
    sent: Mutex<Option<Sent>>,
}

/// The last task. No other is sent before it has run.
struct Sent {
    at: Instant,
    /// Identifies the runtime.
    has_shut_down: Arc<AtomicBool>,
    readings: u32,
    ran: Arc<Promise<Instant>>,
}

/// What one execution of the check finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Prompt,
    /// The task ran after this time, or has not run for this time.
    Slow(Duration),
    /// No task has run for this time, which is too long.
    Blocked(Duration),
}

impl TokioProbe {
    /// Sends a task to the runtime `handle`, unless one is under way there. The returned promise is the time at which it
    /// runs, by the clock of `runtime`.
    pub(crate) fn send(
        &self,
        handle: &Handle,
        has_shut_down: &Arc<AtomicBool>,
        runtime: &Arc<dyn Runtime>,
        now: Instant,
    ) -> Arc<Promise<Instant>> {
        let mut sent = lock(&self.sent);
        let same = |sent: &&mut Sent| Arc::ptr_eq(&sent.has_shut_down, has_shut_down);
        if let Some(sent) = sent.as_mut().filter(same) {
            if sent.ran.get().is_none() {
                sent.readings = sent.readings.saturating_add(1);
                return sent.ran.clone();
            }
        }
        let ran = Arc::new(Promise::default());
        *sent = Some(Sent {
            at: now,
            has_shut_down: has_shut_down.clone(),
            readings: 1,
            ran: ran.clone(),
        });
        drop(sent);
        let runtime = runtime.clone();
        let answer = ran.clone();
        handle.spawn(async move { answer.set(runtime.now()) });
        ran
    }

    /// How the last task fares. A standstill of the process, which `resumed` then, does not count.
    pub(crate) fn reading(&self, now: Instant, resumed: Option<Instant>) -> Reading {
        let sent = lock(&self.sent);
        let Some(sent) = &*sent else {
            return Reading::Prompt;
        };
        let ran = sent.ran.get();
        let since = resumed.map_or(sent.at, |resumed| resumed.max(sent.at));
        let time = ran.unwrap_or(now).saturating_duration_since(since);
        let is_conclusive = ran.is_none() && sent.readings >= MIN_READINGS;
        match time {
            time if time >= self.expiry && is_conclusive => Reading::Blocked(time),
            time if time > SLOW => Reading::Slow(time),
            _ => Reading::Prompt,
        }
    }
}

impl Check {
    /// A check of the application's tokio runtime: it fails if the runtime runs no task for `expiry`, because all its
    /// workers are blocked, or because it has shut down. A restart can fix that, so the check is
    /// [`process_only`](Self::process_only), and the one that a [liveness](crate::Endpoint::liveness) endpoint should run.
    /// 5 seconds is a good expiry.
    ///
    /// Each execution sends one task to the runtime, and none while the last has not run. A task that takes more than
    /// 100 ms is reported as degraded, with a message that starts with `slow`. If a task has not run for `expiry`, in at least
    /// three executions, the check fails with a message that starts with `blocked`. A process that stood still is no
    /// failure ([H14](crate::contract#h14)).
    ///
    /// The check runs on threads of this library, but a blocked runtime cannot serve its result: serve the endpoint on a
    /// separate thread, as `health_hyper::listen` does. The runtime is [that of background checks](Self#context). If
    /// none is known, the check fails. In actix-web, it is not the runtime of a worker: each has its own, which a
    /// [`Heartbeat`](crate::Heartbeat) can watch.
    ///
    /// The check runs [in the background](Self::every). Default: four times per expiry, and every second if the expiry is
    /// longer than 4 seconds. A period that is longer than the expiry and an expiry of zero are errors when the endpoints
    /// are built.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use health_core::{Check, Endpoint, Health};
    ///
    /// let health = Health::builder()
    ///     .register(Check::tokio_runtime("runtime", Duration::from_secs(5)))
    ///     .endpoint(Endpoint::liveness("/live").only_checks(["runtime"]))
    ///     .build()?;
    /// # Ok::<(), health_core::BuildError>(())
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
    pub fn tokio_runtime(name: impl Into<String>, expiry: Duration) -> Self {
        let probe = TokioProbe { expiry, sent: Mutex::default() };
        Self::described(name.into(), Work::TokioRuntime(probe))
            .every((expiry / 4).clamp(MIN_PERIOD, MAX_PERIOD))
            .process_only()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    use futures::FutureExt as _;
    use tokio::runtime::{Builder, Runtime as Tokio};

    use super::{Reading, TokioProbe};
    use crate::runtime::sync::Mutex;
    use crate::runtime::{Runtime, Task};

    const SECOND: Duration = Duration::from_secs(1);
    const MILLISECOND: Duration = Duration::from_millis(1);
    const EXPIRY: Duration = Duration::from_secs(5);

    /// A clock that stands still.
    struct At(Instant);

    impl Runtime for At {
        fn now(&self) -> Instant {
            self.0
        }

        fn sleep_until(&self, _: Instant) -> Task {
            Box::pin(std::future::pending())
        }

        fn spawn(&self, _: Task) {}
    }

    /// A runtime that runs tasks only when the test says so, and its probe.
    struct Probed {
        runtime: Tokio,
        has_shut_down: Arc<AtomicBool>,
        probe: TokioProbe,
    }

    impl Probed {
        fn new() -> Self {
            Self {
                runtime: Builder::new_current_thread().build().unwrap(),
                has_shut_down: Arc::default(),
                probe: TokioProbe { expiry: EXPIRY, sent: Mutex::default() },
            }
        }

        /// Sends a task at `now`, unless one is under way, which runs at `runs_at`. Whether it has run already.
        fn send(&self, now: Instant, runs_at: Instant) -> bool {
            let clock: Arc<dyn Runtime> = Arc::new(At(runs_at));
            let ran = self.probe.send(self.runtime.handle(), &self.has_shut_down, &clock, now);
            ran.wait().now_or_never().is_some()
        }

        /// Lets the runtime run its tasks. How many they are.
        fn run(&self) -> usize {
            let before = self.runtime.metrics().num_alive_tasks();
            self.runtime.block_on(tokio::task::yield_now());
            before - self.runtime.metrics().num_alive_tasks()
        }
    }

    #[test]
    fn a_runtime_is_prompt_up_to_100_ms_and_slow_from_there() {
        for (time, reading) in [
            (0, Reading::Prompt),
            (100, Reading::Prompt),
            (101, Reading::Slow(101 * MILLISECOND)),
            (60_000, Reading::Slow(60 * SECOND)),
        ] {
            let probed = Probed::new();
            let start = Instant::now();
            assert!(!probed.send(start, start + time * MILLISECOND));
            assert_eq!(probed.run(), 1);
            assert_eq!(probed.probe.reading(start + 3600 * SECOND, None), reading);
        }
    }

    #[test]
    fn a_runtime_that_answers_no_task_for_its_expiry_is_blocked_until_it_does() {
        let probed = Probed::new();
        let start = Instant::now();
        let reading = |time: Duration| probed.probe.reading(start + time, None);
        for second in 0..5 {
            let now = start + second * SECOND;
            assert!(!probed.send(now, now));
            let silence = second * SECOND + SECOND / 2;
            assert_eq!(reading(silence), Reading::Slow(silence));
        }
        assert_eq!(reading(EXPIRY - MILLISECOND), Reading::Slow(EXPIRY - MILLISECOND));
        assert_eq!(reading(EXPIRY), Reading::Blocked(EXPIRY));
        assert_eq!(probed.run(), 1, "never two unanswered tasks");
        let later = start + 2 * EXPIRY;
        assert!(!probed.send(later, later));
        assert_eq!(probed.run(), 1);
        assert_eq!(reading(2 * EXPIRY), Reading::Prompt);
    }

    #[test]
    fn one_or_two_readings_are_no_evidence() {
        let probed = Probed::new();
        let start = Instant::now();
        for expected in [Reading::Slow(EXPIRY), Reading::Slow(EXPIRY), Reading::Blocked(EXPIRY)] {
            probed.send(start, start);
            assert_eq!(probed.probe.reading(start + EXPIRY, None), expected);
        }
    }

    #[test]
    fn a_standstill_of_the_process_does_not_count() {
        let probed = Probed::new();
        let start = Instant::now();
        (0..3).for_each(|_| assert!(!probed.send(start, start)));
        let resumed = start + 100 * SECOND;
        let reading = |time| probed.probe.reading(resumed + time, Some(resumed));
        assert_eq!(reading(Duration::ZERO), Reading::Prompt);
        assert_eq!(reading(EXPIRY - MILLISECOND), Reading::Slow(EXPIRY - MILLISECOND));
        assert_eq!(reading(EXPIRY), Reading::Blocked(EXPIRY));
    }

    #[test]
    fn another_runtime_gets_a_task_although_the_former_has_not_run_its_own() {
        let former = Probed::new();
        let start = Instant::now();
        assert!(!former.send(start, start));
        let next = Probed { probe: former.probe, ..Probed::new() };
        let later = start + 2 * EXPIRY;
        assert!(!next.send(later, later));
        assert_eq!(next.run(), 1);
        assert_eq!(next.probe.reading(later, None), Reading::Prompt);
    }
}
