//! What stands in the log (H8, H18, H21), with room for one fault.

use health_conformance::{Check, LogPolicy};

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::state::State;
use crate::view::View;

impl Endpoint {
    pub(crate) fn record(
        &self,
        view: View<'_>,
        state: State,
        results: &[Check],
        asks: bool,
        is_head: bool,
    ) {
        if is_head && self.has(Fault::HeadNotLogged) {
            return;
        }
        let logs_changes =
            self.setup.log == LogPolicy::Change || self.has(Fault::ChangesAreTheDefault);
        if logs_changes && !self.has(Fault::ChangesIgnored) {
            if !self.is_news(view, state, results, asks) {
                return;
            }
            if state == State::Ok {
                let level = match self.fault {
                    Some(Fault::RecoveryNotLogged) => return,
                    Some(Fault::RecoveryAtWarn) => "WARN",
                    _ => "INFO",
                };
                return self.log(level, "Health response: OK");
            }
        }
        match (state, self.fault) {
            (State::Ok, Some(Fault::PassIsLogged)) if asks => {
                self.log("INFO", "Health response: OK")
            }
            (State::Ok, _) => {}
            (State::Starting | State::Draining, Some(Fault::LogSaysWhatTheBodySays)) => {
                let (_, word) = view.says(state);
                self.log("INFO", &format!("Health response: {word}"));
            }
            (State::Starting, _) => {
                let names: Vec<_> = self.told.awaited().iter().map(|it| self.text(it)).collect();
                let text = format!("Health response: STARTING ([{}])", names.join(","));
                self.log("INFO", &text);
            }
            (State::Draining, _) => self.log("INFO", "Health response: DRAINING"),
            (State::Maintenance, Some(Fault::MaintenanceAtWarn)) => {
                let path = self.disablefile();
                self.log("WARN", &format!("Health response: MAINTENANCE ({path})"));
            }
            (State::Maintenance, fault) => {
                let mut memory = self.memory();
                let is_first = !memory.has_logged_maintenance;
                memory.has_logged_maintenance = true;
                if is_first || fault != Some(Fault::MaintenanceLoggedOnce) {
                    self.log("INFO", "Health response: MAINTENANCE");
                }
            }
            (State::Failing, Some(Fault::ErrorNotLogged)) => {}
            (State::Degraded, Some(Fault::DegradedNotLogged)) => {}
            (State::Degraded, Some(Fault::DegradedHeadNotLogged)) if is_head => {}
            (State::Failing | State::Degraded, fault) => {
                let results: Vec<String> = results
                    .iter()
                    .filter(|check| check.status != "OK" || fault != Some(Fault::PassesNotListed))
                    .map(|check| self.result(check))
                    .collect();
                let separator = match fault {
                    Some(Fault::JsonIsWide) => ", ",
                    _ => ",",
                };
                let results = results.join(separator);
                let (level, word) = match (state, fault) {
                    (State::Degraded, Some(Fault::DegradedAtError)) => ("ERROR", "DEGRADED"),
                    (State::Degraded, Some(Fault::DegradedAtInfo)) => ("INFO", "DEGRADED"),
                    (State::Degraded, _) => ("WARN", "DEGRADED"),
                    _ => ("ERROR", "ERROR"),
                };
                let text = format!("Health response: {word} ([{results}])");
                self.log(level, &text);
                if fault == Some(Fault::ErrorLoggedTwice) {
                    self.log("ERROR", &text);
                }
            }
        }
    }

    /// Whether an answer is one to log where changes alone are logged.
    fn is_news(&self, view: View<'_>, state: State, results: &[Check], asks: bool) -> bool {
        let key = match self.fault {
            Some(Fault::ChangesOfAnyEndpoint) => "",
            _ => view.path(),
        };
        let told = match self.fault {
            Some(Fault::ResultsAreChanges) => results.iter().map(|it| self.result(it)).collect(),
            _ => String::new(),
        };
        let mut memory = self.memory();
        let last = memory.logged.get(key).cloned();
        let is_unchecked =
            state == State::Ok && !asks && self.fault != Some(Fault::PlainIsRecovery);
        let is_news = match &last {
            None => state != State::Ok || self.has(Fault::FirstOkLogged),
            Some((State::Failing | State::Degraded, _)) if is_unchecked => false,
            Some((last, said)) => (*last, said) != (state, &told),
        };
        let is_slight = state == State::Degraded && self.has(Fault::DegradedIsNoChange);
        if is_news && !is_slight {
            memory.logged.insert(key.to_owned(), (state, told));
        }
        is_news && !is_slight
    }

    fn result(&self, check: &Check) -> String {
        let status = if check.status == "OK" { "OK" } else { "ERROR" };
        let message = match (check.message.as_deref(), self.fault) {
            (None, Some(Fault::AbsentMessageEmpty)) => Some(""),
            (Some(""), Some(Fault::EmptyMessageAbsent)) => None,
            (message, _) => message,
        };
        let message = message.map_or("null".to_owned(), |message| self.text(&self.cut(message)));
        let name = self.text(&check.name);
        format!(r#"{{"name":{name},"status":"{status}","message":{message}}}"#)
    }

    fn cut(&self, message: &str) -> String {
        let limit = match self.fault {
            Some(Fault::CutIsEarly) => 1023,
            Some(Fault::MessagesNotCut) => usize::MAX,
            _ => 1024,
        };
        if message.len() <= limit {
            return message.to_owned();
        }
        let fitting = message.char_indices().map(|(at, _)| at);
        let end = fitting.take_while(|&at| at <= limit).last().unwrap_or(0);
        let mark = match self.has(Fault::CutHasNoMark) {
            true => "",
            false => "…",
        };
        format!("{}{mark}", &message[..end])
    }

    fn text(&self, text: &str) -> String {
        let mut json = String::from("\"");
        for character in text.chars() {
            match character {
                '"' | '\\' => json.extend(['\\', character]),
                c if c.is_ascii_control() && (c < ' ' || !self.has(Fault::OnlyC0Escaped)) => {
                    json += &format!("\\u{:04x}", u32::from(c));
                }
                c if c.is_control() && !self.has(Fault::OnlyC0Escaped) => {
                    json += &format!("\\u{:04x}", u32::from(c));
                }
                c => json.push(c),
            }
        }
        json + "\""
    }
}
