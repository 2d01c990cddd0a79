//! How an application drains (H20).

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures::future::{Either, pending, select};
use futures::{FutureExt as _, Stream, StreamExt as _};

use super::Health;
use crate::lifecycle::{Drain, DrainMoment, DrainSignal};
use crate::log::{DrainEnd, LogRecord};
use crate::runtime::context::Context;
use crate::runtime::{after, until};
use crate::state::FollowsStates as _;

/// How often a drain that may end early looks whether it can. A timer is simpler than to be woken by each request that
/// ends, and costs them nothing.
pub(super) const LOOK_PERIOD: Duration = Duration::from_millis(100);

impl Health {
    /// Begins a drain: the endpoints show [`State::Draining`](crate::State::Draining) from now on, except those that
    /// [ignore](crate::Endpoint::ignore) it, such as a liveness endpoint, and [`drain_when`](Self::drain_when) needs no
    /// signal any more. A drain cannot be undone. Calling it again, or before the server starts, is no error.
    pub fn drain(&self) {
        let application = self.application();
        application.drain.begin(application.engine.runtime().now());
        application.watches.state_may_have_changed();
    }

    /// Whether a [`drain`](Self::drain) has begun.
    #[inline]
    pub fn is_draining(&self) -> bool {
        self.application().drain.has_begun()
    }

    /// A future that completes when a [`drain`](Self::drain) begins, at once if it has. With it, handlers end what
    /// would otherwise outlast the delay: event streams, web sockets, long polls and consumers of queues.
    ///
    /// It also completes when the last clone of this `Health` is dropped, because no drain can begin any more. It does
    /// not keep the `Health` alive.
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

    /// A future that completes when the time of a drain is over: the maximum of [`Drain::at_most`], after which the
    /// last requests have half a second to end. Streams that should last as long as possible end with it. Without a
    /// maximum it completes only when the last clone of this `Health` is dropped.
    pub fn drain_deadline(&self) -> DrainMoment {
        self.application().drain.deadline()
    }

    /// A future that completes when a drain has ended and the server may stop: a [`drain`](Self::drain) has begun, and
    /// each call of [`drain_when`](Self::drain_when) has returned or was dropped; without such a call, at the beginning.
    /// With it, streams end that show the state of the application itself: they must outlast the beginning, and must not
    /// keep the server from stopping.
    ///
    /// It also completes when the last clone of this `Health` is dropped, which it does not keep alive.
    pub fn drain_end(&self) -> DrainMoment {
        self.application().drain.end()
    }

    /// Waits for `signal`, or for a [`drain`](Self::drain) that begins otherwise, such as through a command. Then it
    /// drains, and returns when the server may stop: see [`Drain`]. The time counts from the beginning of the drain,
    /// even if that was before the signal. Pass the future to `with_graceful_shutdown` of axum, `graceful` of warp, or
    /// the counterpart of another framework. It has no effect before it is polled, except that a drain that may end
    /// early remembers pollers from this call on. Call it once: of several calls, each returns at its own time, and the
    /// shortest maximum is the [deadline](Self::drain_deadline).
    ///
    /// `signal` is any future, such as `tokio::signal::ctrl_c()`, or any stream, such as [`Signals`](crate::Signals)
    /// (feature `signal`). Its output does not matter: a future that ends with an error starts the drain too. A second
    /// item of a stream skips the rest of the time. A stream that ends without an item never starts a drain.
    ///
    /// Requests are served until it returns, so that pollers have time to notice. A poller needs its interval times the
    /// number of failures it waits for, and its timeout. If the drain and the [shutdown
    /// phases](crate::HealthBuilder::shutdown_phase) do not fit into the
    /// [`termination_grace_period`](crate::HealthBuilder::termination_grace_period), a WARN is logged. The beginning
    /// and the end of the drain are logged at INFO.
    pub fn drain_when<S, Kind, D>(
        &self,
        signal: S,
        drain: D,
    ) -> impl Future<Output = ()> + Send + use<S, Kind, D>
    where
        S: DrainSignal<Kind> + Send,
        D: Into<Drain>,
    {
        let wait = DrainWait::new(self.clone());
        let drain = drain.into();
        if drain.can_end_early() {
            self.application().drain.remember_pollers(drain.failure_threshold);
        }
        async move {
            let health = &wait.0;
            health.warn_of_a_drain_that_is_cut_short(&drain);
            let signals = pin!(signal.into_stream());
            health.drain_for(&drain, signals).await;
        }
    }

    fn warn_of_a_drain_that_is_cut_short(&self, drain: &Drain) {
        let application = self.application();
        let grace_period = application.termination_grace_period;
        let phases = application.phases.time();
        if drain.longest().saturating_add(phases) >= grace_period {
            LogRecord::drain_is_cut_short(drain.longest(), phases, grace_period).emit();
        }
    }

    async fn drain_for(&self, drain: &Drain, mut signals: Pin<&mut impl Stream<Item = ()>>) {
        let application = self.application();
        let runtime = application.engine.runtime().clone();
        let earlier = application.drain.began();
        let by_signal = {
            let signal = signals.next().then(|signal| async move {
                // The end of the stream is no signal.
                if signal.is_none() {
                    pending().await
                }
            });
            match select(pin!(signal), self.draining()).await {
                Either::Left(_) => true,
                Either::Right(_) => false,
            }
        };
        self.drain();
        let now = runtime.now();
        let began = application.drain.began().unwrap_or(now);
        // The first signal does not skip a drain that began otherwise: an orchestrator sends it after its `preStop`
        // hook.
        let first = usize::from(!by_signal);
        let can_skip = signals.size_hint().1.is_none_or(|most| most > first);
        match earlier {
            Some(_) => {
                let elapsed = now.saturating_duration_since(began);
                let rest = drain.at_most.unwrap_or(drain.at_least).saturating_sub(elapsed);
                LogRecord::drain_continues(drain, elapsed, rest, can_skip).emit();
            }
            None => LogRecord::drain_begins(drain, can_skip).emit(),
        }
        #[cfg(feature = "details")]
        application.drain.ends_at(after(began, drain.at_most.unwrap_or(drain.at_least)));
        if let Some(at_most) = drain.at_most {
            self.tell_at_deadline(at_most);
        }
        let mut another = pin!(signals.chain(futures::stream::pending()).skip(first));
        let end = self.wait_for_end(drain, began, another.next()).await;
        let lasted = runtime.now().saturating_duration_since(began);
        LogRecord::drain_ends(lasted, &end).emit();
    }

    /// Waits until the server may stop, or until `skip` is ready.
    async fn wait_for_end(
        &self,
        drain: &Drain,
        began: Instant,
        mut skip: impl Future + Unpin,
    ) -> DrainEnd {
        let application = self.application();
        let runtime = &**application.engine.runtime();
        if until(runtime, after(began, drain.at_least), &mut skip).await.is_some() {
            return DrainEnd::Skipped;
        }
        let Some(at_most) = drain.at_most.filter(|_| drain.can_end_early()) else {
            return DrainEnd::Elapsed;
        };
        let deadline = after(began, at_most);
        loop {
            let now = runtime.now();
            let active = application.drain.active();
            let pollers = &application.drain.pollers;
            if active == 0 && pollers.have_noticed(drain.failure_threshold, now) {
                return DrainEnd::Early { told: pollers.told(drain.failure_threshold) };
            }
            if deadline.is_some_and(|deadline| now >= deadline) {
                let waited_for = pollers.waited_for(drain.failure_threshold, now);
                return DrainEnd::Deadline { active, waited_for };
            }
            let next = [after(now, LOOK_PERIOD), deadline].into_iter().flatten().min();
            if until(runtime, next, &mut skip).await.is_some() {
                return DrainEnd::Skipped;
            }
        }
    }

    /// Tells the last requests to end at the deadline, whether or not the caller still waits by then.
    fn tell_at_deadline(&self, at_most: Duration) {
        let application = self.application();
        let Some((deadline, told)) = application.drain.deadline_after(at_most) else {
            return;
        };
        let sleep = application.engine.runtime().sleep_until(deadline);
        let tell = sleep.map(move |()| told.tell());
        application.engine.spawn(Context::empty().wrap(Box::pin(tell)));
    }
}

/// A call of `drain_when` that has not returned.
struct DrainWait(Health);

impl DrainWait {
    fn new(health: Health) -> Self {
        health.application().drain.add_wait();
        Self(health)
    }
}

impl Drop for DrainWait {
    fn drop(&mut self) {
        self.0.application().drain.remove_wait();
    }
}
