//! The receivers of the signals of a process, and its end without a receiver.

use std::ffi::c_int;
use std::io;
use std::process::id;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use signal_hook::iterator::Handle;
use signal_hook::low_level::{emulate_default_handler, exit, signal_name};

use crate::log::LogRecord;
use crate::runtime::process::PerProcess;
use crate::runtime::sync::{Mutex, lock, spawn_thread};

/// How long the log may delay the end of the process.
const LOG_PATIENCE: Duration = Duration::from_secs(1);

/// All [`Signals`](super::Signals) of a process. One thread serves all of them, so that a signal which one of them received
/// never ends the process.
#[derive(Default)]
pub(super) struct Receivers(Mutex<State>);

#[derive(Default)]
struct State {
    /// Of the thread, if it runs.
    handle: Option<Handle>,
    receivers: Vec<Receiver>,
}

#[derive(Clone)]
struct Receiver {
    signals: Arc<[c_int]>,
    sender: UnboundedSender<()>,
    awaited: Awaited,
}

/// Whether a task has waited for signals.
#[derive(Debug, Clone, Default)]
pub(super) struct Awaited(Arc<AtomicBool>);

impl Receivers {
    pub(super) fn of_this_process() -> &'static Self {
        static RECEIVERS: PerProcess<Receivers> = PerProcess::new();
        RECEIVERS.get_or_make(Self::default)
    }

    /// Adds a receiver of these signals.
    pub(super) fn add(
        &'static self,
        signals: &[c_int],
    ) -> io::Result<(UnboundedReceiver<()>, Awaited)> {
        let mut state = lock(&self.0);
        let handle = match &state.handle {
            Some(handle) => handle,
            None => state.handle.insert(self.start()?),
        };
        // The thread runs already: a signal whose handler is installed always has an effect, even if the next line fails.
        signals.iter().try_for_each(|signal| handle.add_signal(*signal))?;
        let (sender, arrivals) = unbounded();
        let awaited = Awaited::default();
        state.receivers.push(Receiver {
            signals: signals.into(),
            sender,
            awaited: awaited.clone(),
        });
        Ok((arrivals, awaited))
    }

    /// Starts the thread.
    fn start(&'static self) -> io::Result<Handle> {
        let mut signals = signal_hook::iterator::Signals::new([0; 0])?;
        let handle = signals.handle();
        let wait = move || signals.forever().for_each(|signal| self.deliver(signal));
        spawn_thread("health-signals", wait)?;
        Ok(handle)
    }

    fn deliver(&self, signal: c_int) {
        let mut state = lock(&self.0);
        state.receivers.retain(|receiver| !receiver.sender.is_closed());
        let mut receivers = state.receivers.clone();
        // Sending wakes a task, which may run code of the application, so the lock is released first.
        drop(state);
        receivers.retain(|receiver| receiver.signals.contains(&signal));
        if receivers.is_empty() {
            end_process(signal);
        }
        if !receivers.iter().any(|receiver| receiver.awaited.has_begun()) {
            log(LogRecord::signal_before_drain(signal_name(signal).unwrap_or("a signal")));
            end_process(signal);
        }
        let sent = receivers.iter().map(|receiver| receiver.sender.unbounded_send(()));
        if sent.filter(Result::is_ok).count() == 0 {
            // The last of them was dropped in this moment.
            end_process(signal);
        }
    }
}

impl Awaited {
    pub(super) fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Logs the record, unless the log blocks or panics: it is code of the application, and the process is about to end.
fn log(record: LogRecord) {
    let (done, is_done) = channel();
    let write = move || {
        record.emit();
        let _ = done.send(());
    };
    if spawn_thread("health-log", write).is_ok() {
        let _ = is_done.recv_timeout(LOG_PATIENCE);
    }
}

/// Ends the process as the default action of the signal does.
fn end_process(signal: c_int) -> ! {
    // The kernel ignores the default action of the first process of a container, and `emulate_default_handler` would abort:
    // a segmentation fault with a core dump.
    if id() != 1 {
        let _ = emulate_default_handler(signal);
    }
    exit(128 + signal)
}
