//! What a server under test is started with: the `HEALTH_GIVEN` of the testee protocol.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings and checks of one server, as a testee gets them in the environment variable
/// `HEALTH_GIVEN`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    /// Settings by their full key, such as `healthcheck.url`; one that is absent has its default.
    pub settings: BTreeMap<String, String>,
    /// The checks to register, in this order.
    pub checks: Vec<Check>,
}

impl fmt::Display for Given {
    /// Everything that is not a default, in a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.settings.iter();
        let settings = settings.map(|(key, value)| format!("{key} = {value:?}"));
        let checks = self.checks.iter().map(|check| {
            let Check { name, status, .. } = check;
            match check.behaviour {
                Behaviour::Report => format!("check {name:?} {status:?}"),
                behaviour => format!("check {name:?} {:?}", String::from(behaviour)),
            }
        });
        f.write_str(&settings.chain(checks).collect::<Vec<_>>().join(", "))
    }
}

/// One check of a server under test. It reports one result; several may share a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The name to report.
    pub name: String,
    /// The status to report. Default: `OK`.
    #[serde(default = "ok")]
    pub status: String,
    /// The message to report. Default: none.
    #[serde(default)]
    pub message: Option<String>,
    /// What it does before it reports. Default: nothing.
    #[serde(default)]
    pub behaviour: Behaviour,
}

fn ok() -> String {
    "OK".to_owned()
}

/// What a check does before it reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Behaviour {
    /// `report`: nothing.
    #[default]
    Report,
    /// `slow:MS`: sleeps without blocking its thread.
    Slow(Duration),
    /// `panic`: panics, and never reports.
    Panic,
    /// `hang`: never ends, without blocking its thread.
    Hang,
    /// `block:MS`: blocks its thread.
    Block(Duration),
}

impl From<Behaviour> for String {
    fn from(behaviour: Behaviour) -> Self {
        match behaviour {
            Behaviour::Report => "report".to_owned(),
            Behaviour::Slow(time) => format!("slow:{}", time.as_millis()),
            Behaviour::Panic => "panic".to_owned(),
            Behaviour::Hang => "hang".to_owned(),
            Behaviour::Block(time) => format!("block:{}", time.as_millis()),
        }
    }
}

impl TryFrom<String> for Behaviour {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (word, time) = match text.split_once(':') {
            Some((word, time)) => (word, time.parse().ok().map(Duration::from_millis)),
            None => (text.as_str(), None),
        };
        match (word, time) {
            ("report", None) => Ok(Self::Report),
            ("slow", Some(time)) => Ok(Self::Slow(time)),
            ("panic", None) => Ok(Self::Panic),
            ("hang", None) => Ok(Self::Hang),
            ("block", Some(time)) => Ok(Self::Block(time)),
            _ => Err(format!(
                "behaviour {text:?} is none of report, slow:MS, panic, hang, block:MS"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Given;

    #[test]
    fn absent_keys_have_the_defaults_of_the_protocol() {
        let short: Given = serde_json::from_str(r#"{"checks":[{"name":"db"}]}"#).unwrap();
        let long = r#"{"settings":{},"checks":[
            {"name":"db","status":"OK","message":null,"behaviour":"report"}]}"#;
        assert_eq!(short, serde_json::from_str(long).unwrap());
    }

    #[test]
    fn what_is_written_reads_back() {
        let json = r#"{"settings":{"healthcheck.url":"/h"},"checks":[{"name":"db","status":"","message":"m","behaviour":"slow:50"},{"name":"db","status":"OK","message":null,"behaviour":"block:9"}]}"#;
        let given: Given = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&given).unwrap(), json);
    }

    #[test]
    fn unknown_keys_and_behaviours_are_refused() {
        for json in [
            r#"{"setings":{}}"#,
            r#"{"checks":[{"name":"db","state":"OK"}]}"#,
            r#"{"checks":[{"name":"db","behaviour":"slow"}]}"#,
            r#"{"checks":[{"name":"db","behaviour":"slow:x"}]}"#,
            r#"{"checks":[{"name":"db","behaviour":"hang:1"}]}"#,
        ] {
            assert!(serde_json::from_str::<Given>(json).is_err(), "{json}");
        }
    }
}
