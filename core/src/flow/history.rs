//! What is remembered of an endpoint for its details.

use std::collections::VecDeque;
use std::time::Instant;

use http::StatusCode;

use crate::runtime::sync::{Mutex, try_lock};
use crate::state::{Body, State};

/// How many changes of the state are remembered.
const CAPACITY: usize = 100;

/// See the [module's doc](self). A child of a fork may find a lock held forever: it then remembers nothing.
#[derive(Debug, Default)]
pub(crate) struct EndpointHistory {
    /// The latest changes of the state, as a watch of the endpoint sees it; the oldest first.
    changes: Mutex<VecDeque<(Instant, State)>>,
    last_poll: Mutex<Option<LastPoll>>,
}

/// The last response in one word.
pub(super) type LastPoll = (Instant, StatusCode, Body);

impl EndpointHistory {
    /// Remembers that the endpoint has `state`, if it is a change.
    pub(super) fn add(&self, now: Instant, state: State) {
        let Some(mut changes) = try_lock(&self.changes) else {
            return;
        };
        if changes.back().is_some_and(|(_, last)| *last == state) {
            return;
        }
        if changes.len() == CAPACITY {
            changes.pop_front();
        }
        changes.push_back((now, state));
    }

    pub(super) fn changes(&self) -> Vec<(Instant, State)> {
        try_lock(&self.changes).map(|changes| changes.iter().copied().collect()).unwrap_or_default()
    }

    pub(super) fn polled(&self, poll: LastPoll) {
        if let Some(mut last) = try_lock(&self.last_poll) {
            *last = Some(poll);
        }
    }

    pub(super) fn last_poll(&self) -> Option<LastPoll> {
        *try_lock(&self.last_poll)?
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{CAPACITY, EndpointHistory};
    use crate::state::State;

    #[test]
    fn only_changes_are_remembered_and_only_the_latest() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let history = EndpointHistory::default();
        history.add(at(1), State::Starting);
        history.add(at(2), State::Starting);
        history.add(at(3), State::Ok);
        assert_eq!(history.changes(), [(at(1), State::Starting), (at(3), State::Ok)]);
        for second in 4..200 {
            history.add(at(second), if second % 2 == 0 { State::Failing } else { State::Ok });
        }
        let changes = history.changes();
        assert_eq!(changes.len(), CAPACITY);
        assert_eq!(changes.last(), Some(&(at(199), State::Ok)));
    }
}
