//! The state of an endpoint, for a task that does more than wait for it.

use std::task::{Context, Poll};

use futures::StreamExt as _;

use crate::flow::Watch;
use crate::state::State;

/// An endpoint, and its last state.
#[derive(Debug)]
pub(crate) struct Followed {
    /// `None` when it has ended.
    watch: Option<Watch>,
    pub(crate) state: Option<State>,
}

impl Followed {
    pub(crate) fn new(watch: Watch) -> Self {
        Self { watch: Some(watch), state: None }
    }

    /// Whether there is news.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let Some(watch) = &mut self.watch else {
            return false;
        };
        match watch.poll_next_unpin(context) {
            Poll::Pending => return false,
            Poll::Ready(Some(state)) => self.state = Some(state),
            Poll::Ready(None) => self.watch = None,
        }
        true
    }
}

/// The state on which a sign of life depends. Without an endpoint, a sign says that its task runs.
pub(crate) fn live(endpoint: Option<&Followed>) -> Option<State> {
    endpoint.map_or(Some(State::Ok), |endpoint| endpoint.state)
}
