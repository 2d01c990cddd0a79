//! The events of a Windows console that terminate a process.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::signal::windows::{self, CtrlBreak, CtrlC, CtrlClose, CtrlShutdown};

use crate::log::{LogEvent, LogLevel, LogRecord};

/// A stream with one item for each event that terminates this process, for
/// [`Health::drain_when`](crate::Health::drain_when): Ctrl-C, Ctrl-Break, the console window is closed
/// (`CTRL_CLOSE_EVENT`), and the container or the system shuts down (`CTRL_SHUTDOWN_EVENT`).
///
/// Create it first in `main`. Until it is first polled, an event ends the process at once, and the `Signals` misses it.
/// `drain_when` polls it when the server polls the future of `drain_when`. From then on, Ctrl-C and Ctrl-Break no
/// longer end the process. Dropping the last `Signals` that was polled restores the default behavior. `drain_when` does
/// so when the delay has passed, so another Ctrl-C ends a process that hangs in its last requests. If there are several
/// `Signals`, each receives every event after its first poll.
///
/// **Windows does not wait for the drain** if the console is closed or the container or system shuts down: it ends the
/// process when its time is over. After the console is closed, that is 5 seconds, and a WARN is logged. With a tokio
/// before 1.44 it is at once.
///
/// Logging off has its default action, since services receive the event when any user logs off. A service that the
/// service control manager stops gets no console event: pass a future to `drain_when` that its control handler
/// completes.
///
/// No runtime is needed: Windows itself starts a thread for each event. Equal events that arrive between two polls
/// count as one.
#[derive(Debug)]
#[must_use = "dropping the last `Signals` lets the events end the process again"]
pub struct Signals {
    /// From the first poll on.
    events: Option<Events>,
}

/// As long as they exist, their events do not have the default action.
#[derive(Debug)]
struct Events {
    ctrl_c: CtrlC,
    ctrl_break: CtrlBreak,
    ctrl_close: CtrlClose,
    ctrl_shutdown: CtrlShutdown,
}

impl Signals {
    /// Prepares to receive the events. Does not block.
    ///
    /// # Errors
    ///
    /// The system cannot install a handler.
    pub fn new() -> io::Result<Self> {
        // The handler stays installed. Without a receiver it leaves the event to the default action.
        Events::receive()?;
        Ok(Self { events: None })
    }
}

impl Events {
    fn receive() -> io::Result<Self> {
        Ok(Self {
            ctrl_c: windows::ctrl_c()?,
            ctrl_break: windows::ctrl_break()?,
            ctrl_close: windows::ctrl_close()?,
            ctrl_shutdown: windows::ctrl_shutdown()?,
        })
    }

    /// At most one event, so that two different ones are two items.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.ctrl_close.poll_recv(context).is_ready() {
            let cut = "the console window was closed: Windows ends the process after 5 seconds, even if it still drains";
            LogRecord::new(LogLevel::Warn, LogEvent::Drain, cut.to_owned()).emit();
            return Poll::Ready(());
        }
        let is_ready = self.ctrl_shutdown.poll_recv(context).is_ready()
            || self.ctrl_break.poll_recv(context).is_ready()
            || self.ctrl_c.poll_recv(context).is_ready();
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Stream for Signals {
    type Item = ();

    /// Ends only if the system cannot install a handler, which [`Signals::new`] has found that it can; then an ERROR is
    /// logged.
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        let events = match self.events.take() {
            Some(events) => events,
            None => match Events::receive() {
                Ok(events) => events,
                Err(error) => {
                    let cannot = format!("cannot receive the events of the console: {error}");
                    LogRecord::new(LogLevel::Error, LogEvent::Drain, cannot).emit();
                    return Poll::Ready(None);
                }
            },
        };
        self.events.insert(events).poll(context).map(Some)
    }
}
