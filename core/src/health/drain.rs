//! The drain, as an application asks for it (H20).

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::pending;
use futures::{Stream, StreamExt as _};

use super::Health;
use crate::log::LogRecord;
use crate::runtime::{after, until};

impl Health {
    /// From now on the endpoints show [`State::Draining`](crate::State::Draining), but for those that
    /// [ignore](crate::Endpoint::ignore) it, as a liveness endpoint does. Nothing turns them back: no result of a check
    /// that comes later, and no end of a maintenance. To call it again, or before the server starts, is no error.
    pub fn drain(&self) {
        self.parts().drain.begin();
    }

    /// Whether [`drain`](Self::drain) was called.
    pub fn is_draining(&self) -> bool {
        self.parts().drain.has_begun()
    }

    /// Waits for a signal, [drains](Self::drain) at once, and is done `delay` later: then the server may stop. The
    /// future fits `with_graceful_shutdown` of axum, `graceful` of warp, and what other frameworks have for it.
    ///
    /// Meanwhile requests are served as ever, so that pollers have time to notice. A second signal skips
    /// the wait. `signals` is any stream, such as [`Signals`](crate::Signals) (feature `signal`), or
    /// `futures::stream::once` of a future; what its items are does not matter. Without a signal, also where the
    /// stream ends before one, the future is never done.
    ///
    /// That the drain has begun, and that it is over, is logged at INFO.
    ///
    /// `delay` has to be longer than the poller takes to notice: its interval, times the failures in a row it
    /// waits for, and its time-out. It has to be shorter than the time that whoever
    /// sent the signal allows the process ([`HealthBuilder::termination_grace_period`](crate::HealthBuilder::termination_grace_period)): a longer one is
    /// logged at WARN, now, with both numbers.
    pub fn drain_when<S>(
        &self,
        signals: S,
        delay: Duration,
    ) -> impl Future<Output = ()> + Send + use<S>
    where
        S: Stream + Send,
    {
        let grace = self.parts().termination_grace_period;
        if delay >= grace {
            LogRecord::drain_is_cut_short(delay, grace).emit();
        }
        let health = self.clone();
        async move {
            let mut signals = pin!(signals.map(drop));
            if signals.next().await.is_none() {
                return pending().await;
            }
            health.drain();
            LogRecord::drain_begins(delay).emit();
            let runtime = health.parts().engine.runtime().clone();
            let end = after(runtime.now(), delay);
            // The end of the stream is no signal.
            let mut another = pin!(signals.chain(futures::stream::pending()));
            until(&*runtime, end, another.next()).await;
            LogRecord::drain_ends().emit();
        }
    }
}
