//! A state in words, for a person who looks at the process and not at the log.

use super::Application;
use crate::lifecycle::Start;
use crate::state::State;
use crate::text::cut;

impl Application {
    /// The state of an endpoint in one line without secrets: with the names of latches or the reasons of checks, and never
    /// with a message.
    pub(crate) fn in_words(&self, index: usize, state: State) -> String {
        let because = match (state, self.gate.unreleased()) {
            (State::Starting, Some(unreleased)) if unreleased.start == Start::UnderWay => {
                Some(format!("waits for {}", list(unreleased.names())))
            }
            (State::Failing, Some(unreleased)) if unreleased.start == Start::Failed => {
                Some(format!("the start has failed at {}", list(unreleased.names())))
            }
            (State::Failing | State::Degraded, None) => self.reasons(index),
            _ => None,
        };
        match because {
            Some(because) => cut(format_args!("{state}: {because}")),
            None => state.to_string(),
        }
    }

    /// The reasons of the last results that are not OK.
    fn reasons(&self, index: usize) -> Option<String> {
        let (now, resumed) = self.engine.time();
        let outcome = self.endpoints[index].dispatcher.last_outcome(now, resumed);
        outcome.record.reason().map(|reasons| reasons.replace(',', ", "))
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
