//! The tokio runtime for checks whose run was not started inside one.

use std::cell::Cell;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;

use super::process::PerProcess;
use super::promise::Promise;
use super::sync::{Mutex, lock};

thread_local! {
    static SERVES_ONLY_HEALTH: Cell<bool> = const { Cell::new(false) };
}

/// Declares that the tokio runtime of this thread serves only health endpoints, as the listener of `health-hyper` does. Checks
/// use it only as long as no other runtime is known, and [`Check::tokio_runtime`](crate::Check::tokio_runtime) never tests
/// it: it is not that of the application.
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub fn this_thread_serves_only_health() {
    SERVES_ONLY_HEALTH.set(true);
}

/// The first runtime of the application that was offered; after it has shut down, the next. A runtime that serves only health
/// endpoints is replaced by any other. The child of a fork starts without one.
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
    serves_only_health: bool,
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
        Self { handle, has_shut_down, serves_only_health: SERVES_ONLY_HEALTH.get() }
    }
}

struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl State {
    fn live(&self) -> Option<&Known> {
        let known = self.known.as_ref()?;
        (!known.has_shut_down.load(Ordering::SeqCst)).then_some(known)
    }

    /// Whether the runtime of this thread would replace the one that is known.
    fn is_open(&self) -> bool {
        self.live().is_none_or(|known| known.serves_only_health && !SERVES_ONLY_HEALTH.get())
    }
}

impl LiveRuntime {
    fn state(&self) -> &Mutex<State> {
        self.0.get_or_make(Mutex::default)
    }

    /// Notes the runtime of the caller, if there is one and no other of the application is known.
    pub(crate) fn offer(&self) {
        let Ok(handle) = Handle::try_current() else {
            return;
        };
        if !lock(self.state()).is_open() {
            return;
        }
        // Before the lock is taken: a runtime that has shut down drops its task immediately.
        let known = Known::new(handle);
        let mut state = lock(self.state());
        // Another thread may have offered its runtime meanwhile.
        if !state.is_open() {
            return;
        }
        let former = state.known.replace(known);
        let arrival = std::mem::take(&mut state.arrival);
        drop(state);
        drop(former);
        arrival.set(());
    }

    pub(crate) fn get(&self) -> Option<Handle> {
        lock(self.state()).live().map(|known| known.handle.clone())
    }

    /// The runtime of the application.
    pub(crate) fn remembered(&self) -> Remembered {
        let state = lock(self.state());
        let known = state.known.as_ref().filter(|known| !known.serves_only_health);
        match (known, state.live()) {
            (None, _) => Remembered::Never,
            (Some(_), None) => Remembered::ShutDown,
            (Some(_), Some(known)) => Remembered::Live {
                handle: known.handle.clone(),
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

    use super::{LiveRuntime, Remembered, SERVES_ONLY_HEALTH, this_thread_serves_only_health};

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

    #[test]
    fn a_runtime_of_the_application_replaces_one_that_serves_only_health() {
        let live = LiveRuntime::default();
        let known = || live.get().map(|handle| handle.id());
        let listener = Builder::new_current_thread().build().unwrap();
        let application = Builder::new_current_thread().build().unwrap();
        let offer_as_listener = || {
            let _entered = listener.enter();
            this_thread_serves_only_health();
            live.offer();
            SERVES_ONLY_HEALTH.set(false);
        };
        offer_as_listener();
        assert_eq!(known(), Some(listener.handle().id()));
        assert!(matches!(live.remembered(), Remembered::Never));
        let entered = application.enter();
        live.offer();
        drop(entered);
        assert_eq!(known(), Some(application.handle().id()));
        assert!(matches!(live.remembered(), Remembered::Live { .. }));
        offer_as_listener();
        assert_eq!(known(), Some(application.handle().id()));
    }
}
