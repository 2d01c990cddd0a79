//! The task that sends the messages. What systemd has been told is compared with what it should know, so that a message
//! which could not be sent is sent later.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::environment::Environment;
use super::socket::NotifySocket;
use super::told::Told;
use super::{Systemd, SystemdError};
use crate::alive::{Followed, Pulse, live};
use crate::flow::{Application, Watch};
use crate::log::LogRecord;
use crate::runtime::guard::catch;
use crate::runtime::process::PerProcess;
use crate::runtime::{Runtime, after, until};
use crate::state::State;

/// How often the task looks for what no watch shows: latches behind a maintenance, other reasons for the same state.
const INTERVAL: Duration = Duration::from_secs(1);

/// See the [module's doc](self).
#[derive(Debug)]
pub(crate) struct Notifier {
    application: Weak<Application>,
    socket: NotifySocket,
    main: Followed,
    /// With the endpoint on which it depends; `None` if there is no such endpoint.
    watchdog: Option<(Pulse, Option<Followed>)>,
    told: Told,
    /// Whether the last message could not be sent.
    is_cut_off: bool,
    _turn: Turn,
}

/// The right to notify systemd. A process has it once.
#[derive(Debug)]
pub(crate) struct Turn(());

/// Whether a [`Turn`] is taken.
static IS_TAKEN: PerProcess<AtomicBool> = PerProcess::new();

impl Turn {
    pub(crate) fn take() -> Result<Self, SystemdError> {
        let was_taken = IS_TAKEN.get_or_make(AtomicBool::default).swap(true, Ordering::Relaxed);
        if was_taken { Err(SystemdError::AlreadyNotified) } else { Ok(Self(())) }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The child of a fork may drop a copy of its parent's task.
        if let Some(is_taken) = IS_TAKEN.get() {
            is_taken.store(false, Ordering::Relaxed);
        }
    }
}

impl Notifier {
    /// `main` is the watch of the endpoint whose state is shown, and `liveness` that of the endpoint on which the
    /// watchdog depends.
    pub(crate) fn new(
        environment: &Environment,
        application: Weak<Application>,
        now: Instant,
        main: Watch,
        liveness: Option<Watch>,
        turn: Turn,
    ) -> Result<Self, SystemdError> {
        let watchdog = environment.ping_period.map(|period| {
            let liveness = liveness.map(Followed::new);
            (Pulse::new(period, now), liveness)
        });
        Ok(Self {
            application,
            socket: NotifySocket::at(&environment.address)?,
            main: Followed::new(main),
            watchdog,
            told: Told::default(),
            is_cut_off: false,
            _turn: turn,
        })
    }

    /// Sends what is due until the application is dropped, and pings after a drain.
    pub(crate) async fn run(mut self, runtime: Arc<dyn Runtime>) {
        // The first states are usually known at once.
        poll_fn(|context| Poll::Ready(self.poll(context))).await;
        while let Some(application) = self.application.upgrade() {
            let next = self.tell(&application, runtime.now());
            // The application ends when the program drops it.
            drop(application);
            let news = poll_fn(|context| match self.poll(context) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            });
            until(&*runtime, next, news).await;
        }
        self.send("STATUS=ended: the program has dropped its health endpoints\n");
        if self.told.is_stopping {
            self.ping_until_exit(runtime).await;
        }
    }

    /// systemd watches a process until it has ended. What is left of its end is limited by `TimeoutStopSec`.
    async fn ping_until_exit(mut self, runtime: Arc<dyn Runtime>) {
        let Some((mut watchdog, _)) = self.watchdog.take() else {
            return;
        };
        loop {
            let now = runtime.now();
            let is_sent = !watchdog.is_due(Some(State::Ok), now) || self.send("WATCHDOG=1\n");
            let next = if is_sent {
                watchdog.beaten(now);
                watchdog.next(Some(State::Ok))
            } else {
                after(now, watchdog.retry())
            };
            let Some(next) = next else {
                return;
            };
            runtime.sleep_until(next).await;
        }
    }

    /// Whether there is news.
    fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let liveness = self.watchdog.as_mut().and_then(|(_, liveness)| liveness.as_mut());
        let is_new = liveness.is_some_and(|liveness| liveness.poll(context));
        self.main.poll(context) || is_new
    }

    /// Sends what is due now, and returns when to look again.
    fn tell(&mut self, application: &Application, now: Instant) -> Option<Instant> {
        let known = self.known(application);
        let mut message = self.told.until(&known, application.termination_grace_period);
        let mut pings = false;
        if let Some((watchdog, liveness)) = &mut self.watchdog {
            let live = live(liveness.as_ref());
            pings = watchdog.is_due(live, now);
            if watchdog.begins_to_withhold(live, now) {
                let _ = catch(|| LogRecord::watchdog_gets_no_ping().emit());
            }
        }
        if pings {
            message.push_str("WATCHDOG=1\n");
        }
        let is_sent = message.is_empty() || self.send(&message);
        let mut wait = INTERVAL;
        let mut next_ping = None;
        if is_sent {
            self.told = known;
        }
        if let Some((watchdog, liveness)) = &mut self.watchdog {
            if is_sent && pings {
                watchdog.beaten(now);
            }
            if is_sent {
                next_ping = watchdog.next(live(liveness.as_ref()));
            } else {
                wait = wait.min(watchdog.retry());
            }
        }
        [after(now, wait), next_ping].into_iter().flatten().min()
    }

    /// What systemd should know now.
    fn known(&self, application: &Application) -> Told {
        let is_stopping = application.drain.has_begun();
        let is_started = || application.gate.unreleased().is_none();
        Told {
            // Who stops does not become ready.
            is_ready: self.told.is_ready || (!is_stopping && is_started()),
            is_stopping,
            status: self.main.state.map(|state| application.in_words(0, state)),
        }
    }

    /// Whether the message was sent. If not, one WARN is logged until another is.
    fn send(&mut self, message: &str) -> bool {
        let sent = self.socket.send(message);
        let was_cut_off = std::mem::replace(&mut self.is_cut_off, sent.is_err());
        if let Err(error) = &sent {
            if !was_cut_off {
                let _ = catch(|| LogRecord::systemd_is_not_reached(error).emit());
            }
        }
        sent.is_ok()
    }
}

impl Environment {
    /// What the application learns.
    pub(crate) fn notified(&self) -> Systemd {
        Systemd::Notified { ping_period: self.ping_period }
    }
}
