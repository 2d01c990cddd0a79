//! The signals that ask a process to end.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;

use futures::Stream;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals as Arrivals;
use signal_hook::low_level::emulate_default_handler;

/// SIGTERM and SIGINT to this process, as a stream for [`Health::drain_when`](crate::Health::drain_when): an
/// item each.
///
/// From [`Signals::new`] on neither of them ends the process by itself, until this is dropped, as `drain_when`
/// does when its wait is over: one that comes while the server finishes its last requests ends the process at once.
/// Of several, each has every signal, and the last to be dropped counts.
///
/// Call it before the server listens: then no signal is too early. The signals are waited for on a thread of the
/// library's own, and need no runtime.
#[derive(Debug)]
pub struct Signals(UnboundedReceiver<()>);

/// How many there are in this process.
static LIVE: AtomicUsize = AtomicUsize::new(0);

impl Signals {
    /// Stands ready for the signals.
    ///
    /// # Errors
    ///
    /// The system has no room for a handler, or for the thread.
    pub fn new() -> io::Result<Self> {
        let mut arrivals = Arrivals::new([SIGTERM, SIGINT])?;
        let (sender, receiver) = unbounded();
        let wait = move || {
            for signal in arrivals.forever() {
                let is_sent = sender.unbounded_send(()).is_ok();
                if !is_sent && LIVE.load(Ordering::SeqCst) == 0 {
                    // Nobody waits for it any more: it does what it does elsewhere.
                    let _ = emulate_default_handler(signal);
                }
            }
        };
        let thread = thread::Builder::new().name("health-signals".to_owned());
        thread.spawn(wait)?;
        LIVE.fetch_add(1, Ordering::SeqCst);
        Ok(Self(receiver))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.0.close();
        LIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Stream for Signals {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        Pin::new(&mut self.0).poll_next(context)
    }
}
