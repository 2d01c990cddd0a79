//! The signals that terminate a process.

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
/// After [`Signals::new`] the signals no longer terminate the process. Dropping the last `Signals` restores the default
/// behavior. `drain_when` does so when the delay has passed, so another signal terminates a process that hangs in its last
/// requests. If there are several `Signals`, each receives every signal.
///
/// Create it before the server listens: a signal that arrives earlier terminates the process. A thread of this library
/// waits for the signals, so no runtime is needed.
///
/// # Fork
///
/// Create `Signals` after a fork, in each process. A child has none of its parent's threads: a `Signals` that was created
/// before the fork starts again when the child first polls it, and earlier signals are lost. A child that never polls it
/// ignores the signals.
#[derive(Debug)]
#[must_use = "dropping the last `Signals` lets the signals end the process again"]
pub struct Signals {
    arrivals: UnboundedReceiver<()>,
    /// The process in which its thread runs.
    process: u32,
}

/// All [`Signals`] of a process. One thread serves all of them, so that a signal which one of them received never terminates
/// the process.
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
        // Sending wakes a task, which may run code of the application, so the lock is released first.
        drop(state);
        let sent = senders.iter().map(|sender| sender.unbounded_send(()));
        if sent.filter(Result::is_ok).count() == 0 {
            // No `Signals` is left, so the default action of the signal applies.
            let _ = emulate_default_handler(signal);
        }
    }
}

impl Signals {
    /// Starts to receive the signals. Does not block.
    ///
    /// # Errors
    ///
    /// The system cannot install a handler, or cannot start the thread.
    pub fn new() -> io::Result<Self> {
        let (sender, arrivals) = unbounded();
        Receivers::of_this_process().add(sender)?;
        let process = process::id();
        Ok(Self { arrivals, process })
    }
}

impl Stream for Signals {
    type Item = ();

    /// Ends only if the child of a fork cannot start a thread; then an ERROR is logged.
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        if self.process != process::id() {
            match Self::new() {
                Ok(signals) => *self = signals,
                Err(error) => {
                    tracing::error!(target: LOG_TARGET, "cannot receive signals after a fork: {error}");
                    return Poll::Ready(None);
                }
            }
        }
        Pin::new(&mut self.arrivals).poll_next(context)
    }
}
