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
    application: Option<Known>,
    /// One that serves only health endpoints.
    listener: Option<Known>,
    /// Set when a runtime of the application becomes known.
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

    fn is_live(&self) -> bool {
        !self.has_shut_down.load(Ordering::SeqCst)
    }
}

struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl State {
    /// The place for the runtime of this thread, unless a live one is in it.
    fn open_place(&mut self) -> Option<&mut Option<Known>> {
        let is_listener = SERVES_ONLY_HEALTH.get();
        let place = if is_listener { &mut self.listener } else { &mut self.application };
        let is_taken = place.as_ref().is_some_and(Known::is_live);
        (!is_taken).then_some(place)
    }

    fn application_is_live(&self) -> bool {
        self.application.as_ref().is_some_and(Known::is_live)
    }
}

impl LiveRuntime {
    fn state(&self) -> &Mutex<State> {
        self.0.get_or_make(Mutex::default)
    }

    /// Notes the runtime of the caller, if there is one and no other of its kind is known.
    pub(crate) fn offer(&self) {
        let Ok(handle) = Handle::try_current() else {
            return;
        };
        if lock(self.state()).open_place().is_none() {
            return;
        }
        // Before the lock is taken: a runtime that has shut down drops its task immediately.
        let known = Known::new(handle);
        let is_live = known.is_live();
        let mut state = lock(self.state());
        // Another thread may have offered its runtime meanwhile.
        let Some(place) = state.open_place() else {
            return;
        };
        let former = place.replace(known);
        let arrives = is_live && !SERVES_ONLY_HEALTH.get();
        let arrival = arrives.then(|| std::mem::take(&mut state.arrival));
        drop(state);
        drop(former);
        if let Some(arrival) = arrival {
            arrival.set(());
        }
    }

    /// That of the application, or else that of a listener.
    pub(crate) fn get(&self) -> Option<Handle> {
        let state = lock(self.state());
        let known = [&state.application, &state.listener].into_iter().flatten();
        known.filter(|known| known.is_live()).map(|known| known.handle.clone()).next()
    }

    /// The runtime of the application.
    pub(crate) fn remembered(&self) -> Remembered {
        match &lock(self.state()).application {
            None => Remembered::Never,
            Some(known) if !known.is_live() => Remembered::ShutDown,
            Some(known) => Remembered::Live {
                handle: known.handle.clone(),
                has_shut_down: known.has_shut_down.clone(),
            },
        }
    }

    /// Set when a runtime of the application becomes known; `None` if one is known already.
    pub(crate) fn arrival(&self) -> Option<Arc<Promise<()>>> {
        let state = lock(self.state());
        (!state.application_is_live()).then(|| state.arrival.clone())
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
            assert!(arrival.get().is_none(), "one that has shut down does not arrive");
            offer(second.handle());
            assert_eq!(known(), Some(second.handle().id()));
            assert!(arrival.get().is_some());
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
        let arrival = live.arrival().unwrap();
        let entered = application.enter();
        live.offer();
        drop(entered);
        assert_eq!(known(), Some(application.handle().id()));
        assert!(matches!(live.remembered(), Remembered::Live { .. }));
        assert!(arrival.get().is_some());
        offer_as_listener();
        assert_eq!(known(), Some(application.handle().id()));
        drop(application);
        assert_eq!(known(), Some(listener.handle().id()));
        assert!(matches!(live.remembered(), Remembered::ShutDown));
    }
}
