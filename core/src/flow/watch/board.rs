//! The states of the endpoints that are watched, and who waits for another.

#[cfg(all(test, health_loom))]
mod loom;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::runtime::promise::Promise;
use crate::runtime::sync::{Mutex, lock};
use crate::state::State;

/// The current state of each endpoint that is watched, and the tasks that wait for another.
#[derive(Default)]
pub(super) struct Board(Mutex<Published>);

#[derive(Default)]
struct Published {
    endpoints: BTreeMap<usize, Watched>,
    /// Whether the disablefile or a source is active; `None` if it is not known.
    maintenance: Option<bool>,
    task: Task,
    next_number: u64,
    is_over: bool,
}

/// The task that evaluates the disablefile and the sources.
#[derive(Default)]
enum Task {
    #[default]
    None,
    Evaluates,
    /// For the interval; setting the promise ends the wait.
    Waits(Arc<Promise<()>>),
}

#[derive(Default)]
struct Watched {
    /// `None` if it depends on the disablefile or a source, which is not evaluated yet.
    state: Option<State>,
    watches: usize,
    wakers: BTreeMap<u64, Waker>,
}

impl Board {
    /// Returns the number of the watch, and whether a task must be spawned.
    pub(super) fn join(&self, index: usize) -> (u64, bool) {
        let mut published = lock(&self.0);
        let number = published.next_number;
        published.next_number += 1;
        published.endpoints.entry(index).or_default().watches += 1;
        let needs_task = matches!(published.task, Task::None);
        if needs_task {
            published.task = Task::Evaluates;
        }
        (number, needs_task)
    }

    pub(super) fn leave(&self, index: usize, number: u64) {
        let mut published = lock(&self.0);
        let Some(watched) = published.endpoints.get_mut(&index) else {
            return;
        };
        watched.watches -= 1;
        let waker = watched.wakers.remove(&number);
        if watched.watches == 0 {
            published.endpoints.remove(&index);
        }
        drop(published);
        // A waker may run code of the application when dropped.
        drop(waker);
    }

    pub(super) fn is_watched(&self) -> bool {
        !lock(&self.0).endpoints.is_empty()
    }

    /// A state other than `last`, or the end.
    pub(super) fn poll(
        &self,
        index: usize,
        number: u64,
        last: Option<State>,
        waker: &Waker,
    ) -> Poll<Option<State>> {
        let waker = waker.clone();
        let mut published = lock(&self.0);
        if published.is_over {
            return Poll::Ready(None);
        }
        let watched = published.endpoints.entry(index).or_default();
        if watched.state.is_some() && watched.state != last {
            return Poll::Ready(watched.state);
        }
        let former = watched.wakers.insert(number, waker);
        drop(published);
        drop(former);
        Poll::Pending
    }

    /// Publishes the state of each watched endpoint. `state` gets the endpoint, and whether the disablefile or a source is
    /// active; it runs no code of the application. It is called with the lock held, so that of two changes at the same
    /// time the latest is published.
    pub(super) fn publish(&self, state: impl Fn(usize, Option<bool>) -> Option<State>) {
        let mut published = lock(&self.0);
        let maintenance = published.maintenance;
        let mut is_unknown = false;
        let mut woken = Vec::new();
        for (index, watched) in &mut published.endpoints {
            let state = state(*index, maintenance);
            is_unknown |= state.is_none();
            if state.is_some() && state != watched.state {
                watched.state = state;
                woken.push(std::mem::take(&mut watched.wakers));
            }
        }
        let wait = match &published.task {
            Task::Waits(wait) if is_unknown => Some(wait.clone()),
            _ => None,
        };
        drop(published);
        woken.into_iter().flatten().for_each(|(_, waker)| waker.wake());
        if let Some(wait) = wait {
            wait.set(());
        }
    }

    /// The task begins to evaluate. Returns whether a watched endpoint `shows_maintenance`, or `None` if there is no watch.
    pub(super) fn begin(&self, shows_maintenance: impl Fn(usize) -> bool) -> Option<bool> {
        let mut published = lock(&self.0);
        if published.endpoints.is_empty() || published.is_over {
            published.task = Task::None;
            published.maintenance = None;
            return None;
        }
        published.task = Task::Evaluates;
        Some(published.endpoints.keys().any(|index| shows_maintenance(*index)))
    }

    /// The task has evaluated, and waits until the promise is set.
    pub(super) fn evaluated(&self, maintenance: Option<bool>) -> Arc<Promise<()>> {
        let wait = Arc::new(Promise::default());
        let mut published = lock(&self.0);
        published.maintenance = maintenance;
        published.task = Task::Waits(wait.clone());
        wait
    }

    /// The runtime has dropped the task: the next watch spawns another.
    pub(super) fn task_was_dropped(&self) {
        let mut published = lock(&self.0);
        published.task = Task::None;
        published.maintenance = None;
    }

    pub(super) fn end(&self) {
        let mut published = lock(&self.0);
        published.is_over = true;
        let endpoints = published.endpoints.values_mut();
        let wakers: Vec<_> = endpoints.map(|watched| std::mem::take(&mut watched.wakers)).collect();
        drop(published);
        wakers.into_iter().flatten().for_each(|(_, waker)| waker.wake());
    }
}
