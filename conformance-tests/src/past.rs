//! What a server has been through in a scenario, as far as its later answers depend on it.

use std::collections::BTreeMap;

use crate::command::Command;
use crate::given::{Given, LogPolicy};
use crate::mounted::State;
use crate::scenario::Answer;

/// The past of one server in one scenario.
#[derive(Debug, Clone, Default)]
pub(crate) struct Past {
    /// Whether a request was sent: its checks may be still running.
    pub(crate) is_asked: bool,
    /// The latches that are neither released nor dropped.
    held: Vec<String>,
    dropped: Vec<String>,
    /// The state that each target was last answered with.
    last: BTreeMap<String, State>,
}

impl Past {
    /// That of a server that has just started.
    pub(crate) fn of(given: &Given) -> Self {
        Self {
            held: given.latches.clone(),
            ..Self::default()
        }
    }

    /// The latches that hold it in its start-up.
    pub(crate) fn held(&self) -> &[String] {
        &self.held
    }

    /// The latches that were dropped before their release.
    pub(crate) fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// Remembers a command that took effect.
    pub(crate) fn obey(&mut self, command: &Command) {
        if let Command::Release(name) | Command::Drop(name) = command {
            self.held.retain(|held| held != name);
        }
        if let Command::Drop(name) = command {
            self.dropped.push(name.clone());
        }
    }

    /// Those of the answers that are logged (H8, H21), in their order.
    pub(crate) fn recorded(&self, given: &Given, path: &str, answers: &[Answer]) -> Vec<Answer> {
        let states = answers.iter().filter_map(|it| Some((*it, it.state()?)));
        let mut last = self.last(path);
        let mut recorded = Vec::new();
        for (answer, state) in states {
            let is_recorded = match given.log {
                LogPolicy::Every => state != State::Ok,
                LogPolicy::Change => state != last,
            };
            recorded.extend(is_recorded.then_some(answer));
            last = state;
        }
        recorded
    }

    /// A server that says nothing is OK.
    fn last(&self, path: &str) -> State {
        self.last.get(path).copied().unwrap_or(State::Ok)
    }

    /// Remembers what was answered.
    pub(crate) fn answered(&mut self, path: &str, answers: &[Answer]) {
        self.is_asked = true;
        if let Some(state) = answers.iter().rev().find_map(|answer| answer.state()) {
            self.last.insert(path.to_owned(), state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Past;
    use crate::command::Command;
    use crate::given::Given;
    use crate::scenario::Answer;

    #[test]
    fn each_answer_that_is_not_ok_is_logged_or_each_change() {
        let answers = [
            Answer::Ok,
            Answer::Error,
            Answer::Error,
            Answer::Draining,
            Answer::Unread,
        ];
        let recorded = |log: &str, before: &[Answer]| {
            let given: Given = serde_json::from_str(&format!(r#"{{"log":"{log}"}}"#)).unwrap();
            let mut past = Past::of(&given);
            past.answered("/a", before);
            past.answered("/b", &[Answer::Maintenance]);
            past.recorded(&given, "/a", &answers)
        };
        let each = [Answer::Error, Answer::Error, Answer::Draining];
        assert_eq!(recorded("every", &[Answer::Error]), each);
        assert_eq!(recorded("change", &[]), [Answer::Error, Answer::Draining]);
        let back = [Answer::Ok, Answer::Error, Answer::Draining];
        assert_eq!(recorded("change", &[Answer::Error]), back);
    }

    #[test]
    fn a_latch_is_held_until_it_is_released_or_dropped() {
        let given: Given = serde_json::from_str(r#"{"latches":["a","b","c"]}"#).unwrap();
        let mut past = Past::of(&given);
        past.obey(&Command::Release("a".to_owned()));
        past.obey(&Command::Drop("c".to_owned()));
        assert_eq!(past.held(), ["b"]);
        assert_eq!(past.dropped(), ["c"]);
    }
}
