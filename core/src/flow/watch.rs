//! Watches: the program follows the state of an endpoint without requests.
//!
//! A task evaluates the disablefile and the sources once per interval, for all watches of the application. Everything
//! else is known without waiting, and looked at when it changes. Nothing happens while there is no watch, no observer of
//! states and no endpoint with details.

mod board;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, StreamExt as _};

use self::board::Board;
use super::{Application, ServedEndpoint};
use crate::decision::Decision;
use crate::endpoint::RunChecks;
use crate::run::Observers;
use crate::runtime::process::{self, PerProcess};
use crate::runtime::{after, until};
use crate::state::{FollowsStates, State};

/// A stream of the states of an endpoint: the current state first, and then each other state when it is known.
/// [`Health::watch`](crate::Health::watch) and [`EndpointHandle::watch`](crate::EndpointHandle::watch) return it.
///
/// The state is that of a request for the checks, but a watch runs no check: the last result of each check counts,
/// whichever endpoint ran it. A check on request that has not run yet does not count. A background check that has not run
/// yet counts as failing; the first poll of a watch starts the background checks, as a request does. States that the
/// endpoint [ignores](crate::Endpoint::ignore) do not appear, and with
/// [`RunChecks::Never`](crate::RunChecks::Never) no check counts.
///
/// A drain, the switch, a start-up latch and the end of a run of checks are noticed at once; the disablefile, maintenance
/// sources, the age of a result and the end of a [delayed recovery](crate::Endpoint::recovery_delay) within
/// [an interval](crate::HealthBuilder::watch_interval). A slow reader misses states in between, but never the latest.
///
/// The stream ends after [`State::Draining`], because no other state can follow, and when the last clone of the
/// [`Health`](crate::Health) is dropped. A watch does not keep the `Health` alive.
///
/// ```
/// use futures::StreamExt;
/// use health_core::{Health, State};
///
/// let health = Health::builder().build()?;
/// let mut watch = health.watch();
/// health.drain();
/// # futures::executor::block_on(async {
/// while let Some(state) = watch.next().await {
///     println!("the state is now {state}");
/// }
/// # });
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[must_use = "a watch does nothing until it is polled"]
pub struct Watch {
    watches: Arc<Watches>,
    /// The endpoint's.
    index: usize,
    place: Option<Place>,
    last: Option<State>,
}

/// The place of a watch on the board of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    process: u32,
    number: u64,
}

impl Watch {
    pub(crate) fn new(watches: Arc<Watches>, index: usize) -> Self {
        Self { watches, index, place: None, last: None }
    }

    /// Waits until the endpoint is in `state`, and returns `true`; at once if it is. Returns `false` if the stream ends
    /// before. A state that lasts for a moment only can be missed.
    pub async fn wait_for(&mut self, state: State) -> bool {
        if self.last == Some(State::Draining) {
            return state == State::Draining;
        }
        // The current state comes again.
        self.last = None;
        while let Some(now) = self.next().await {
            if now == state {
                return true;
            }
        }
        false
    }

    /// Takes a place on the board of this process; `None` if the application is gone.
    fn join(&mut self) -> Option<Place> {
        let process = process::id();
        if let Some(place) = self.place.filter(|place| place.process == process) {
            return Some(place);
        }
        let application = self.watches.application()?;
        application.start();
        let place = Place { process, number: self.watches.join(&application, self.index) };
        self.place = Some(place);
        application.publish();
        Some(place)
    }

    fn leave(&mut self) {
        if let Some(place) = self.place.take().filter(|place| place.process == process::id()) {
            self.watches.board().leave(self.index, place.number);
        }
    }
}

impl Stream for Watch {
    type Item = State;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<State>> {
        if self.last == Some(State::Draining) {
            return Poll::Ready(None);
        }
        let Some(place) = self.join() else {
            return Poll::Ready(None);
        };
        let board = self.watches.board();
        let polled = board.poll(self.index, place.number, self.last, context.waker());
        if let Poll::Ready(Some(state)) = polled {
            self.last = Some(state);
            if state == State::Draining {
                self.leave();
            }
        }
        polled
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.leave();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("last", &self.last).finish_non_exhaustive()
    }
}

/// All watches of an application.
pub(crate) struct Watches {
    interval: Duration,
    observers: Observers,
    application: OnceLock<Weak<Application>>,
    /// A child of a fork has no task of its parent.
    board: PerProcess<Board>,
    /// Whether this process follows the endpoints.
    followed_in: PerProcess<()>,
}

impl Watches {
    pub(crate) fn new(interval: Duration, observers: Observers) -> Self {
        Self {
            interval,
            observers,
            application: OnceLock::new(),
            board: PerProcess::new(),
            followed_in: PerProcess::new(),
        }
    }

    /// Called once, when the application is complete.
    pub(crate) fn follow(&self, application: &Arc<Application>) {
        let _ = self.application.set(Arc::downgrade(application));
    }

    /// Whether [`start`](Self::start) was called in this process.
    pub(crate) fn are_followed(&self) -> bool {
        self.followed_in.get().is_some()
    }

    /// Watches endpoints from the start of the application to its end: every one for the observers, those with details for
    /// their history, and those that are counted for their state.
    pub(crate) fn start(&self, application: &Application) {
        self.followed_in.get_or_make(|| ());
        let is_observed = !self.observers.is_empty();
        let mut is_watched = false;
        for (index, served) in application.endpoints.iter().enumerate() {
            if (is_observed && !served.endpoint.is_of_check) || served.is_followed() {
                self.join(application, index);
                is_watched = true;
            }
        }
        if is_watched {
            application.publish();
        }
    }

    /// Returns the number of a new watch of an endpoint.
    fn join(&self, application: &Application, index: usize) -> u64 {
        let (number, needs_task) = self.board().join(index);
        if needs_task {
            let application_of_task = self.application.get().cloned().unwrap_or_default();
            let evaluation = Evaluation { application: application_of_task, is_over: false };
            application.engine.spawn(Box::pin(evaluate(evaluation)));
        }
        number
    }

    /// Ends all watches.
    pub(crate) fn end(&self) {
        if let Some(board) = self.board.get() {
            board.end();
        }
    }

    fn application(&self) -> Option<Arc<Application>> {
        self.application.get()?.upgrade()
    }

    fn board(&self) -> &Board {
        self.board.get_or_make(Board::default)
    }
}

impl FollowsStates for Watches {
    fn state_may_have_changed(&self) {
        let is_watched = self.board.get().is_some_and(Board::is_watched);
        if let Some(application) = is_watched.then(|| self.application()).flatten() {
            application.publish();
        }
    }
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watches").field("interval", &self.interval).finish_non_exhaustive()
    }
}

/// What the task holds.
struct Evaluation {
    application: Weak<Application>,
    is_over: bool,
}

impl Drop for Evaluation {
    fn drop(&mut self) {
        if let Some(application) = self.application.upgrade().filter(|_| !self.is_over) {
            application.watches.board().task_was_dropped();
        }
    }
}

/// Evaluates the disablefile and the sources once per interval, until there is no watch.
async fn evaluate(mut evaluation: Evaluation) {
    while let Some(application) = evaluation.application.upgrade() {
        let runtime = application.engine.runtime().clone();
        let next = after(runtime.now(), application.watches.interval);
        let board = application.watches.board();
        let Some(is_needed) = board.begin(|index| application.shows_maintenance(index)) else {
            evaluation.is_over = true;
            return;
        };
        let mut maintenance = None;
        if is_needed {
            maintenance = Some(application.maintenance.observe_without_switch(&runtime).await);
        }
        let wait = board.evaluated(maintenance);
        application.publish();
        drop(application);
        until(&*runtime, next, wait.wait()).await;
    }
}

impl Application {
    /// Publishes the states of the endpoints that are watched.
    fn publish(&self) {
        // The runtime is code of the application: it must find the lock free.
        let (now, resumed) = self.engine.time();
        self.watches.board().publish(|index, maintenance| {
            let served = &self.endpoints[index];
            let checked = || served.checked(served.dispatcher.last_outcome(now, resumed), || now);
            let decision = self.decide_for(served, maintenance, checked)?;
            let state = decision.state();
            #[cfg(feature = "details")]
            if served.has_details() {
                served.history.add(now, state);
            }
            #[cfg(feature = "metrics")]
            served.counts.is_in(state);
            if !served.endpoint.is_of_check {
                let observers = &self.watches.observers;
                observers.state(&served.endpoint.path, state, now, || decision.record());
            }
            Some(state)
        });
        self.watches.observers.warn();
        #[cfg(feature = "metrics-facade")]
        self.publish_through_facade();
    }

    /// Whether the state of the endpoint depends on the disablefile and the sources.
    fn shows_maintenance(&self, index: usize) -> bool {
        let endpoint = &self.endpoints[index].endpoint;
        endpoint.replies.maintenance.is_some() && !self.shows_drain(endpoint)
    }

    /// The gravest state that the endpoint shows (H17), as a request for the checks would find it. `maintenance` is whether
    /// the disablefile or a source is active; the result is `None` if it depends on that and it is not known.
    fn decide_for(
        &self,
        ServedEndpoint { endpoint, .. }: &ServedEndpoint,
        maintenance: Option<bool>,
        checked: impl FnOnce() -> Decision,
    ) -> Option<Decision> {
        if self.shows_drain(endpoint) {
            return Some(Decision::Drain);
        }
        if endpoint.replies.maintenance.is_some()
            && (self.maintenance.switch().is_on() || maintenance?)
        {
            return Some(Decision::Maintain);
        }
        let unreleased = endpoint.replies.starting.and_then(|_| self.gate.unreleased());
        Some(match unreleased {
            Some(unreleased) => Decision::Start(unreleased),
            None if endpoint.run_checks == RunChecks::Never => Decision::Pass,
            None => checked(),
        })
    }
}
