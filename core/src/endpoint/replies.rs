//! The responses of an endpoint by state.

use super::response::Reply;
use crate::state::State;

/// A reply for each state, complete by type: no state can be forgotten. The endpoint ignores a state that is `None`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replies {
    pub(crate) ok: Reply,
    pub(crate) degraded: Reply,
    pub(crate) failing: Reply,
    pub(crate) starting: Option<Reply>,
    pub(crate) maintenance: Option<Reply>,
    pub(crate) draining: Option<Reply>,
}

impl Replies {
    /// The reply for `state`; `None` if the endpoint ignores the state.
    pub(crate) fn get(&self, state: State) -> Option<Reply> {
        match state {
            State::Ok => Some(self.ok),
            State::Degraded => Some(self.degraded),
            State::Failing => Some(self.failing),
            State::Starting => self.starting,
            State::Maintenance => self.maintenance,
            State::Draining => self.draining,
        }
    }

    pub(super) fn set(&mut self, state: State, reply: Reply) {
        match state {
            State::Ok => self.ok = reply,
            State::Degraded => self.degraded = reply,
            State::Failing => self.failing = reply,
            State::Starting => self.starting = Some(reply),
            State::Maintenance => self.maintenance = Some(reply),
            State::Draining => self.draining = Some(reply),
        }
    }

    /// Every state that the endpoint does not ignore, with its reply; the least grave first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (State, Reply)> + use<> {
        let replies = *self;
        let reply = move |state| Some((state, replies.get(state)?));
        State::ALL.into_iter().filter_map(reply)
    }
}
