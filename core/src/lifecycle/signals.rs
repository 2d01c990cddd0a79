//! The signals that terminate a process.

mod receivers;

use std::ffi::c_int;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::channel::mpsc::UnboundedReceiver;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use self::receivers::{Awaited, Receivers};
use crate::log::LOG_TARGET;
use crate::runtime::process;

/// A signal that [`Signals`] can receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// SIGTERM: an orchestrator, systemd or `kill` stops the process.
    Terminate,
    /// SIGINT: Ctrl-C in a terminal.
    Interrupt,
    /// SIGQUIT: Ctrl-\ in a terminal, or a container whose image says `STOPSIGNAL SIGQUIT`, as those of nginx do. By
    /// default it ends the process with a core dump.
    Quit,
    /// SIGHUP: the terminal is closed. A process that `nohup` started drains on it too.
    Hangup,
}

impl Signal {
    fn number(self) -> c_int {
        match self {
            Self::Terminate => SIGTERM,
            Self::Interrupt => SIGINT,
            Self::Quit => SIGQUIT,
            Self::Hangup => SIGHUP,
        }
    }
}

/// A stream with one item for each SIGTERM or SIGINT to this process, for
/// [`Health::drain_when`](crate::Health::drain_when). [`Signals::of`] takes other signals.
///
/// Create it first in `main`. Until it is polled, nothing waits for a drain, and a signal ends the process at once,
/// after an INFO record ([`LogEvent::Drain`](crate::LogEvent::Drain)). The first process of a container (process id 1)
/// needs that: the kernel ignores a signal to it that nothing receives. `drain_when` polls it when the server polls the
/// future of `drain_when`. From then on, the signals no longer end the process.
///
/// Dropping the last `Signals` restores the default behavior. `drain_when` does so when the delay has passed, so
/// another signal ends a process that hangs in its last requests. If there are several `Signals`, each receives every
/// signal that it was created for, and a signal ends the process if none of those has been polled.
///
/// A process that a signal ends has ended *by* that signal, which a shell shows as 128 plus its number, such as 143 for
/// SIGTERM. The process with the id 1 cannot end by a signal: it exits with that code. Neither calls destructors or
/// `atexit` functions.
///
/// Other signals keep their default action: SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE (which Rust ignores) and the real-time
/// signals, and SIGQUIT and SIGHUP unless they are asked for. No process can receive SIGKILL and SIGSTOP.
///
/// A thread of this library waits for the signals, so no runtime is needed. Equal signals that arrive within
/// microseconds of each other can count as one.
///
/// # Fork
///
/// Create `Signals` after a fork, in each process. A child has none of its parent's threads: a `Signals` that was
/// created before the fork starts again when the child first polls it, and earlier signals are lost. A child that never
/// polls it ignores the signals.
///
/// # Windows
///
/// On Windows, with the features `signal` and `tokio`, `Signals::new` exists too. There, `Signals` receives Ctrl-C,
/// Ctrl-Break, the closing of the console window and the shutdown of the container or system. For the last two, Windows
/// ends the process a few seconds later, even if it still drains. There is no `Signal` and no `Signals::of`.
#[derive(Debug)]
#[must_use = "dropping the last `Signals` lets the signals end the process again"]
pub struct Signals {
    signals: Vec<c_int>,
    arrivals: UnboundedReceiver<()>,
    awaited: Awaited,
    /// The process in which its thread runs.
    process: u32,
}

impl Signals {
    /// Starts to receive SIGTERM and SIGINT. Does not block.
    ///
    /// # Errors
    ///
    /// The system cannot install a handler, or cannot start the thread.
    pub fn new() -> io::Result<Self> {
        Self::of([Signal::Terminate, Signal::Interrupt])
    }

    /// Starts to receive these signals, and no others. Does not block.
    ///
    /// ```no_run
    /// use health_core::{Signal, Signals};
    ///
    /// let signals = Signals::of([Signal::Terminate, Signal::Interrupt, Signal::Quit])?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// There is no signal ([`InvalidInput`](io::ErrorKind::InvalidInput)), or the system cannot install a handler, or
    /// cannot start the thread.
    pub fn of(signals: impl IntoIterator<Item = Signal>) -> io::Result<Self> {
        Self::of_numbers(signals.into_iter().map(Signal::number).collect())
    }

    fn of_numbers(signals: Vec<c_int>) -> io::Result<Self> {
        if signals.is_empty() {
            let empty = "`Signals::of` got no signal, so nothing could start a drain: pass at least one, such as \
                         `Signal::Terminate`";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, empty));
        }
        let (arrivals, awaited) = Receivers::of_this_process().add(&signals)?;
        Ok(Self { signals, arrivals, awaited, process: process::id() })
    }
}

impl Stream for Signals {
    type Item = ();

    /// Ends only if the child of a fork cannot start a thread; then an ERROR is logged.
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        if self.process != process::id() {
            match Self::of_numbers(self.signals.clone()) {
                Ok(signals) => *self = signals,
                Err(error) => {
                    tracing::error!(target: LOG_TARGET, "cannot receive signals after a fork: {error}");
                    return Poll::Ready(None);
                }
            }
        }
        self.awaited.begin();
        Pin::new(&mut self.arrivals).poll_next(context)
    }
}
