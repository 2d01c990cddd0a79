//! How an application drains (H20).

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::pending;
use futures::{Stream as _, StreamExt as _};

use super::Health;
use crate::lifecycle::{DrainMoment, DrainSignal};
use crate::log::LogRecord;
use crate::runtime::{after, until};
use crate::state::FollowsStates as _;

impl Health {
    /// Makes the endpoints show [`State::Draining`](crate::State::Draining) from now on, except those that
    /// [ignore](crate::Endpoint::ignore) it, such as a liveness endpoint. A drain cannot be undone. Calling it again,
    /// or before the server starts, is no error.
    pub fn drain(&self) {
        let application = self.application();
        application.drain.begin(application.engine.runtime().now());
        application.watches.state_may_have_changed();
    }

    /// Whether a [`drain`](Self::drain) has begun.
    pub fn is_draining(&self) -> bool {
        self.application().drain.has_begun()
    }

    /// A future that completes when a [`drain`](Self::drain) begins, at once if it has. With it, handlers end what would
    /// otherwise outlast the delay: event streams, web sockets, long polls and consumers of queues.
    ///
    /// It also completes when the last clone of this `Health` is dropped, because no drain can begin any more. It does not keep
    /// the `Health` alive.
    ///
    /// ```
    /// use futures::future::{Either, pending, select};
    /// use health_core::Health;
    ///
    /// let health = Health::builder().build()?;
    /// let draining = health.draining();
    /// let next_message = pending::<()>();
    /// health.drain();
    /// # futures::executor::block_on(async {
    /// match select(next_message, draining).await {
    ///     Either::Left(_) => println!("a message"),
    ///     Either::Right(_) => println!("the process will stop: finish"),
    /// }
    /// # });
    /// # Ok::<(), health_core::BuildError>(())
    /// ```
    pub fn draining(&self) -> DrainMoment {
        self.application().drain.draining()
    }

    /// Waits for `signal`, then begins to [drain](Self::drain), and returns `delay` later, when the server may stop. A drain
    /// that began before the signal, for example in a `preStop` hook, counts: the future then returns `delay` after it began, or
    /// at once if that time has passed. Pass the future to `with_graceful_shutdown` of axum, `graceful` of warp, or the counterpart of another framework. It
    /// has no effect before it is polled.
    ///
    /// `signal` is any future, such as `tokio::signal::ctrl_c()`, or any stream, such as [`Signals`](crate::Signals)
    /// (feature `signal`). Its output does not matter: a future that ends with an error starts the drain too. A second
    /// item of a stream skips the rest of the delay. A stream that ends without an item never starts a drain.
    ///
    /// Requests are served during the delay, so that pollers have time to notice. `delay` must be longer than a poller
    /// needs: its interval times the number of failures it waits for, and its timeout. A delay that is not shorter than
    /// [`HealthBuilder::termination_grace_period`](crate::HealthBuilder::termination_grace_period) is logged at WARN.
    /// The beginning and the end of the drain are logged at INFO.
    pub fn drain_when<S, Kind>(
        &self,
        signal: S,
        delay: Duration,
    ) -> impl Future<Output = ()> + Send + use<S, Kind>
    where
        S: DrainSignal<Kind> + Send,
    {
        let health = self.clone();
        async move {
            let application = health.application();
            let grace_period = application.termination_grace_period;
            if delay >= grace_period {
                LogRecord::drain_is_cut_short(delay, grace_period).emit();
            }
            let mut signals = pin!(signal.into_stream());
            if signals.next().await.is_none() {
                return pending().await;
            }
            let runtime = application.engine.runtime().clone();
            let earlier = application.drain.began();
            health.drain();
            let now = runtime.now();
            let began = application.drain.began().unwrap_or(now);
            let can_skip = signals.size_hint().1 != Some(0);
            match earlier {
                Some(_) => LogRecord::drain_continues(
                    delay,
                    now.saturating_duration_since(began),
                    can_skip,
                )
                .emit(),
                None => LogRecord::drain_begins(delay, can_skip).emit(),
            }
            let end = after(began, delay);
            // The end of the stream is no signal.
            let mut another = pin!(signals.chain(futures::stream::pending()));
            until(&*runtime, end, another.next()).await;
            LogRecord::drain_ends().emit();
        }
    }
}
