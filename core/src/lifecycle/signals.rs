//! The signals that ask a process to end.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures::Stream;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::emulate_default_handler;

use crate::log::LOG_TARGET;
use crate::runtime::process::{self, PerProcess};
use crate::runtime::sync::spawn_thread;

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

/// How many there are in this process.
fn live() -> &'static AtomicUsize {
    static LIVE: PerProcess<AtomicUsize> = PerProcess::new();
    LIVE.get_or_make(AtomicUsize::default)
}

impl Signals {
    /// Starts to receive the signals. It does not block.
    ///
    /// # Errors
    ///
    /// The system has no room for a handler, or for the thread.
    pub fn new() -> io::Result<Self> {
        let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT])?;
        let (sender, arrivals) = unbounded();
        let wait = move || {
            for signal in signals.forever() {
                let is_sent = sender.unbounded_send(()).is_ok();
                if !is_sent && live().load(Ordering::SeqCst) == 0 {
                    // No `Signals` is left: the signal does what it does by default.
                    let _ = emulate_default_handler(signal);
                }
            }
        };
        spawn_thread("health-signals", wait)?;
        live().fetch_add(1, Ordering::SeqCst);
        let process = process::id();
        Ok(Self { arrivals, process })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.arrivals.close();
        if self.process == process::id() {
            live().fetch_sub(1, Ordering::SeqCst);
        }
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
