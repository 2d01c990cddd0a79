//! For checks that talk through tokio.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::runtime::Handle;

use super::{Runtime, Task, ThreadRuntime};

/// [`ThreadRuntime`], with the tokio runtime of whoever asks at hand for the checks.
///
/// A check finds tokio's timers, sockets and `tokio::spawn` as it would in a handler. But it is polled on
/// the library's own thread: one that blocks, against tokio's rules, blocks no thread that serves
/// requests. Nor does the time come from tokio: deadlines hold in a runtime without `enable_time`, and
/// while its threads are blocked.
///
/// The runtime is that of whoever asked first, or mounted the endpoint: while it is kept from its work, or once it
/// has ended, checks that need it fail.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioRuntime;

impl Runtime for TokioRuntime {
    fn now(&self) -> Instant {
        ThreadRuntime.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        ThreadRuntime.sleep_until(deadline)
    }

    /// Outside any tokio runtime, as [`ThreadRuntime`] does.
    fn spawn(&self, task: Task) {
        ThreadRuntime.spawn(match Handle::try_current() {
            Ok(handle) => Box::pin(Entered {
                handle,
                task: Some(task),
            }),
            Err(_) => task,
        });
    }
}

/// A task that is polled, and dropped, in the context of a tokio runtime.
struct Entered {
    handle: Handle,
    task: Option<Task>,
}

impl Future for Entered {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { handle, task } = &mut *self;
        let _entered = handle.enter();
        match task {
            Some(task) => task.as_mut().poll(context),
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let _entered = self.handle.enter();
        self.task = None;
    }
}
