//! The history of a server in a scenario, as far as later responses depend on it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::results::{Past, failing};
use crate::scenario::command::Command;
use crate::scenario::expected_endpoint::{ExpectedEndpoint, State};
use crate::scenario::{Answer, Checks, Step};
use crate::setup::{LogPolicy, Setup};

/// The past of one server in one scenario.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// Whether a request was sent: its checks may be still running.
    pub(crate) is_asked: bool,
    /// The latches that are not released.
    latches: Vec<Latch>,
    /// Whether the server covers the application, so that a drain closes connections (H26).
    pub(crate) covers_application: bool,
    /// When the drain was begun: before its command was sent.
    pub(crate) drain_began: Option<Instant>,
    /// When the last poll was sent to an endpoint that shows the drain.
    pub(crate) last_poll: Option<Instant>,
    /// The last record of each endpoint.
    last: BTreeMap<String, Logged>,
}

impl History {
    /// That of a server that has just started.
    pub(crate) fn of(setup: &Setup) -> Self {
        let latches = setup.latches.iter().cloned();
        Self {
            latches: latches.map(|name| Latch { name, failure: None }).collect(),
            ..Self::default()
        }
    }

    /// The latches that hold it in its start-up.
    pub(crate) fn held(&self) -> Vec<&str> {
        let held = self.latches.iter().filter(|latch| latch.failure.is_none());
        held.map(|latch| latch.name.as_str()).collect()
    }

    /// What the results of the next step depend on.
    pub(crate) fn past(&self) -> Past<'_> {
        let failed = self
            .latches
            .iter()
            .filter_map(|latch| Some((latch.name.as_str(), latch.failure.as_deref()?)));
        Past { failed: failed.collect(), is_asked: self.is_asked }
    }

    fn fail(&mut self, name: &str, message: String) {
        for latch in self.latches.iter_mut().filter(|latch| latch.name == name) {
            latch.failure = Some(message.clone());
        }
    }

    /// Remembers a command that took effect; it was sent at `sent`.
    pub(crate) fn apply(&mut self, command: &Command, sent: Instant) {
        match command {
            Command::Drain => {
                self.drain_began.get_or_insert(sent);
            }
            Command::Release(released) => self.latches.retain(|latch| latch.name != *released),
            Command::Drop(name) => {
                self.fail(name, "start-up latch dropped before its release".to_owned());
            }
            Command::Fail(name, error) => {
                self.fail(name, format!("start-up latch failed: {error}"))
            }
            Command::Finish
            | Command::SwitchOn
            | Command::SwitchOff
            | Command::Peers(..)
            | Command::PeersNone(_)
            | Command::PeersFail(_)
            | Command::Tokens(..) => {}
        }
    }

    /// Whether a response with this status announces that its connection is closed (H26).
    pub(crate) fn closes_connection(&self, status: u16) -> bool {
        self.covers_application && self.drain_began.is_some() && ![101, 426].contains(&status)
    }

    /// The responses to a step that are logged (H8, H21), in order.
    pub(crate) fn recorded(&self, setup: &Setup, step: &Step, answers: &[Answer]) -> Vec<Answer> {
        let mut last = self.last(setup, step);
        let mut recorded = Vec::new();
        for answer in answers {
            let Some(logged) = self.logged(setup, step, *answer) else {
                continue;
            };
            if is_recorded(setup.log, step, &last, &logged) {
                recorded.push(*answer);
                last = logged;
            }
        }
        recorded
    }

    /// A server that has logged nothing is OK.
    fn last(&self, setup: &Setup, step: &Step) -> Logged {
        let path = ExpectedEndpoint::at(setup, &step.target).path();
        self.last.get(path).cloned().unwrap_or_default()
    }

    fn logged(&self, setup: &Setup, step: &Step, answer: Answer) -> Option<Logged> {
        Some(Logged { state: answer.state()?, failing: failing(step, setup, &self.past(), answer) })
    }

    /// Records the responses to a step.
    pub(crate) fn answered(&mut self, setup: &Setup, step: &Step, answers: &[Answer]) {
        let recorded = self.recorded(setup, step, answers);
        let last = recorded.last().and_then(|answer| self.logged(setup, step, *answer));
        if let Some(logged) = last {
            let path = ExpectedEndpoint::at(setup, &step.target).path();
            self.last.insert(path.to_owned(), logged);
        }
        self.is_asked = true;
    }
}

/// A start-up latch that is not released.
#[derive(Debug, Clone)]
struct Latch {
    name: String,
    /// The message in the log once it was dropped or failed.
    failure: Option<String>,
}

/// The content of a record about an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Logged {
    state: State,
    /// The names of the results that are not OK.
    failing: BTreeSet<String>,
}

impl Default for Logged {
    fn default() -> Self {
        Self { state: State::Ok, failing: BTreeSet::new() }
    }
}

/// Whether a response is logged after the record `last`.
fn is_recorded(policy: LogPolicy, step: &Step, last: &Logged, answer: &Logged) -> bool {
    // A response without checks contains no information about them.
    let hides_change = answer.state == State::Ok
        && step.checks == Checks::Rest
        && matches!(last.state, State::Failing | State::Degraded);
    match policy {
        LogPolicy::Every => answer.state != State::Ok,
        LogPolicy::Change => answer != last && !hides_change,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::History;
    use crate::scenario::command::Command;
    use crate::scenario::{Answer, Step};
    use crate::setup::Setup;

    fn step(target: &str, checks: &str) -> Step {
        toml::from_str(&format!("target = '{target}'\nchecks = '{checks}'\nresponse = 'ok'"))
            .unwrap()
    }

    #[test]
    fn each_answer_that_is_not_ok_is_logged_or_each_change_of_an_endpoint() {
        let answers = [Answer::Ok, Answer::Error, Answer::Error, Answer::Draining];
        let recorded = |log: &str, before: &[Answer]| {
            let endpoints = r#"[{"path":"/a","preset":"strict"},{"path":"/b","preset":"strict"}]"#;
            let setup = format!(r#"{{"log":"{log}","endpoints":{endpoints}}}"#);
            let setup: Setup = serde_json::from_str(&setup).unwrap();
            let mut history = History::of(&setup);
            history.answered(&setup, &step("/a", "start"), before);
            history.answered(&setup, &step("/b", "start"), &[Answer::Maintenance]);
            history.recorded(&setup, &step("/a?x", "start"), &answers)
        };
        let each = [Answer::Error, Answer::Error, Answer::Draining];
        assert_eq!(recorded("every", &[Answer::Error]), each);
        assert_eq!(recorded("change", &[]), [Answer::Error, Answer::Draining]);
        let back = [Answer::Ok, Answer::Error, Answer::Draining];
        assert_eq!(recorded("change", &[Answer::Error]), back);
        assert_eq!(recorded("change", &[Answer::Unread]), back[1..]);
    }

    #[test]
    fn an_answer_without_checks_is_no_recovery_from_an_error_but_one_from_maintenance() {
        let setup: Setup = serde_json::from_str(r#"{"log":"change"}"#).unwrap();
        let plain = step("/health", "rest");
        for (before, recorded) in [
            (Answer::Error, &[][..]),
            (Answer::Degraded, &[]),
            (Answer::Maintenance, &[Answer::Ok]),
        ] {
            let mut history = History::of(&setup);
            history.answered(&setup, &plain, &[before]);
            assert_eq!(history.recorded(&setup, &plain, &[Answer::Ok]), recorded);
        }
    }

    #[test]
    fn a_latch_is_held_until_it_is_released_dropped_or_failed() {
        let setup: Setup = serde_json::from_str(r#"{"latches":["a","b","c","d"]}"#).unwrap();
        let mut history = History::of(&setup);
        let now = Instant::now();
        history.apply(&Command::Release("a".to_owned()), now);
        history.apply(&Command::Drop("c".to_owned()), now);
        history.apply(&Command::Fail("d".to_owned(), "no route".to_owned()), now);
        assert_eq!(history.held(), ["b"]);
        let failed = [
            ("c", "start-up latch dropped before its release"),
            ("d", "start-up latch failed: no route"),
        ];
        assert_eq!(history.past().failed, failed);
    }
}
