//! The time of runs, and waits that tell whether the process stood still meanwhile.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::runtime::standstill::Standstill;
use crate::runtime::{Runtime, after, until};

/// When a wait for a check first looks at the clock.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// See the [module's doc](self). Clones share what they notice.
#[derive(Clone)]
pub(super) struct Clock {
    runtime: Arc<dyn Runtime>,
    standstill: Arc<Standstill>,
}

impl Clock {
    pub(super) fn new(runtime: Arc<dyn Runtime>) -> Self {
        let standstill = Arc::default();
        Self { runtime, standstill }
    }

    /// The end of the last standstill of the process.
    pub(super) fn resumed(&self) -> Option<Instant> {
        self.standstill.resumed()
    }

    /// The time; notices whether the process stood still.
    pub(super) fn now(&self) -> Instant {
        let now = self.runtime.now();
        self.standstill.look(now);
        now
    }

    /// The time, for a thread that a check may have blocked.
    pub(super) fn now_after_block(&self) -> Instant {
        let now = self.runtime.now();
        self.standstill.look_after_block(now);
        now
    }

    /// Waits for `future` until `deadline`; `None` once that is over.
    pub(super) async fn until<F>(&self, deadline: Option<Instant>, future: F) -> Option<F::Output>
    where
        F: Future + Unpin,
    {
        let _expected = deadline.map(|deadline| self.standstill.expect(deadline));
        let output = until(&*self.runtime, deadline, future).await;
        self.now();
        output
    }

    /// Waits for `future` until the time that `end` returns; `None` once that is over. If the process stood still,
    /// `end` may return another time than before.
    pub(super) async fn within<F>(
        &self,
        end: impl Fn() -> Option<Instant>,
        mut future: F,
    ) -> Option<F::Output>
    where
        F: Future + Unpin,
    {
        let began = self.now();
        loop {
            let now = self.now();
            let end = end();
            let is_over = end.is_some_and(|end| now >= end);
            // Looks at the clock now and then, so that no standstill goes unnoticed: less often the longer it waits.
            let next_look = after(now, FIRST_LOOK.max(now.saturating_duration_since(began)));
            let step = [next_look, end].into_iter().flatten().min();
            let output = self.until(step, &mut future).await;
            if output.is_some() || is_over {
                return output;
            }
        }
    }
}
