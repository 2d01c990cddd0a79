//! The tokio runtime for checks whose run was not started inside one.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;

use super::process::PerProcess;
use super::promise::Promise;
use super::sync::{Mutex, lock};

/// The first runtime that was offered; after it has shut down, the next. The child of a fork starts without one.
#[derive(Default)]
pub(crate) struct LiveRuntime(PerProcess<Mutex<State>>);

#[derive(Default)]
struct State {
    known: Option<Known>,
    /// Set when a runtime becomes known.
    arrival: Arc<Promise<()>>,
}

/// The runtime that is remembered.
pub(crate) enum Remembered {
    Never,
    ShutDown,
    /// `has_shut_down` also identifies it.
    Live {
        handle: Handle,
        has_shut_down: Arc<AtomicBool>,
    },
}

struct Known {
    handle: Handle,
    has_shut_down: Arc<AtomicBool>,
}

impl Known {
    fn new(handle: Handle) -> Self {
        let has_shut_down = Arc::new(AtomicBool::new(false));
        let guard = SetOnDrop(has_shut_down.clone());
        // A runtime drops its tasks when it shuts down, and drops later tasks immediately.
        handle.spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        Self { handle, has_shut_down }
    }
}

struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl State {
    fn live(&self) -> Option<&Handle> {
        let known = self.known.as_ref()?;
        (!known.has_shut_down.load(Ordering::SeqCst)).then_some(&known.handle)
    }
}

impl LiveRuntime {
    fn state(&self) -> &Mutex<State> {
        self.0.get_or_make(Mutex::default)
    }

    /// Notes the runtime of the caller, if there is one and no other is known.
    pub(crate) fn offer(&self) {
        let Ok(handle) = Handle::try_current() else {
            return;
        };
        if self.get().is_some() {
            return;
        }
        // Before the lock is taken: a runtime that has shut down drops its task immediately.
        let known = Known::new(handle);
        let mut state = lock(self.state());
        // Another thread may have offered its runtime meanwhile.
        if state.live().is_some() {
            return;
        }
        let former = state.known.replace(known);
        let arrival = std::mem::take(&mut state.arrival);
        drop(state);
        drop(former);
        arrival.set(());
    }

    pub(crate) fn get(&self) -> Option<Handle> {
        lock(self.state()).live().cloned()
    }

    pub(crate) fn remembered(&self) -> Remembered {
        let state = lock(self.state());
        match (&state.known, state.live()) {
            (None, _) => Remembered::Never,
            (Some(_), None) => Remembered::ShutDown,
            (Some(known), Some(handle)) => Remembered::Live {
                handle: handle.clone(),
                has_shut_down: known.has_shut_down.clone(),
            },
        }
    }

    /// Set when a runtime becomes known; `None` if one is known already.
    pub(crate) fn arrival(&self) -> Option<Arc<Promise<()>>> {
        let state = lock(self.state());
        state.live().is_none().then(|| state.arrival.clone())
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::{Builder, Handle};

    use super::LiveRuntime;

    #[test]
    fn the_first_runtime_is_kept_until_it_has_shut_down() {
        let build = [
            || Builder::new_current_thread().build().unwrap(),
            || Builder::new_multi_thread().worker_threads(1).build().unwrap(),
        ];
        for build in build {
            let live = LiveRuntime::default();
            let known = || live.get().map(|handle| handle.id());
            live.offer();
            let arrival = live.arrival().unwrap();
            assert!(known().is_none() && arrival.get().is_none());

            let first = build();
            let second = build();
            let offer = |handle: &Handle| {
                let _entered = handle.enter();
                live.offer();
            };
            offer(first.handle());
            offer(second.handle());
            assert_eq!(known(), Some(first.handle().id()));
            assert!(arrival.get().is_some() && live.arrival().is_none());

            let gone = first.handle().clone();
            drop(first);
            assert_eq!(known(), None);
            let arrival = live.arrival().unwrap();
            offer(&gone);
            assert_eq!(known(), None);
            assert!(arrival.get().is_some());
            offer(second.handle());
            assert_eq!(known(), Some(second.handle().id()));
        }
    }
}
