//! The signals that ask a process to end.

use std::ffi::c_int;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::emulate_default_handler;

use crate::log::LOG_TARGET;
use crate::runtime::process::{self, PerProcess};
use crate::runtime::sync::{Mutex, lock, spawn_thread};

/// A stream with one item for each SIGTERM or SIGINT to this process, for
/// [`Health::drain_when`](crate::Health::drain_when).
///
/// After [`Signals::new`] the signals no longer end the process. Dropping the last `Signals` restores the default
/// behaviour; `drain_when` drops its stream when the delay has passed, so that another signal ends a process that hangs in
/// its last requests. If there are several, each receives every signal.
///
/// Create it before the server listens, so that no signal comes too early. A thread of the library waits for the
/// signals; no runtime is needed.
///
/// **Fork.** A child process has none of its parent's threads. A `Signals` that was created before the fork starts
/// again when the child polls it: signals that come sooner are lost. A child that does not poll one never notices its
/// signals, and does not end by them either. So create one in each process, after the fork.
#[derive(Debug)]
#[must_use = "dropping the last `Signals` lets the signals end the process again"]
pub struct Signals {
    arrivals: UnboundedReceiver<()>,
    /// The process that has its thread.
    process: u32,
}

/// What receives the signals of this process: one thread decides for all [`Signals`], so that a signal which one of them
/// got never ends the process.
#[derive(Default)]
struct Receivers(Mutex<State>);

#[derive(Default)]
struct State {
    is_thread_running: bool,
    senders: Vec<UnboundedSender<()>>,
}

impl Receivers {
    fn of_this_process() -> &'static Self {
        static RECEIVERS: PerProcess<Receivers> = PerProcess::new();
        RECEIVERS.get_or_make(Self::default)
    }

    fn add(&'static self, sender: UnboundedSender<()>) -> io::Result<()> {
        let mut state = lock(&self.0);
        if !state.is_thread_running {
            let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT])?;
            let wait = move || signals.forever().for_each(|signal| self.deliver(signal));
            spawn_thread("health-signals", wait)?;
            state.is_thread_running = true;
        }
        state.senders.push(sender);
        Ok(())
    }

    fn deliver(&self, signal: c_int) {
        let mut state = lock(&self.0);
        state.senders.retain(|sender| !sender.is_closed());
        let senders = state.senders.clone();
        // Sending wakes a task, which is code of the application: it must find the lock free.
        drop(state);
        let sent = senders.iter().map(|sender| sender.unbounded_send(()));
        if sent.filter(Result::is_ok).count() == 0 {
            // No `Signals` is left: the signal does what it does by default.
            let _ = emulate_default_handler(signal);
        }
    }
}

impl Signals {
    /// Starts to receive the signals. It does not block.
    ///
    /// # Errors
    ///
    /// The system has no room for a handler, or for the thread.
    pub fn new() -> io::Result<Self> {
        let (sender, arrivals) = unbounded();
        Receivers::of_this_process().add(sender)?;
        let process = process::id();
        Ok(Self { arrivals, process })
    }
}

impl Stream for Signals {
    type Item = ();

    /// Ends only where a child of a fork has no room for a thread, with an ERROR in its log.
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        if self.process != process::id() {
            match Self::new() {
                Ok(signals) => *self = signals,
                Err(error) => {
                    tracing::error!(target: LOG_TARGET, "Signals cannot be received after a fork: {error}");
                    return Poll::Ready(None);
                }
            }
        }
        Pin::new(&mut self.arrivals).poll_next(context)
    }
}
