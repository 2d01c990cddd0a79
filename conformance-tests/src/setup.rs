//! The setup of a server under test: `HEALTH_SETUP` of the testee protocol.

mod behaviour;
mod drain;
mod endpoint;
pub(crate) mod milliseconds;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::behaviour::{Behaviour, Place};
pub use self::drain::Drain;
pub use self::endpoint::{DetailLevel, Endpoint, LogPolicy, Preset, RunChecks};
pub(crate) use self::value::is_reason;
pub use self::value::{Number, Unit, Value};

/// Settings, checks, endpoints and latches of one server, as a testee gets them in the environment variable
/// `HEALTH_SETUP`. Newer keys are omitted if they are empty, for testees that do not know them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// Settings by full key, such as `healthcheck.url`. Absent settings have their defaults.
    pub settings: BTreeMap<String, String>,
    /// The checks to register, in this order.
    pub checks: Vec<Check>,
    /// The endpoints in addition to that of `healthcheck.url` (H16).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
    /// The names of the start-up latches, which are held at the start (H18).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub latches: Vec<String>,
    /// Which responses are logged (H21). Default: each.
    #[serde(skip_serializing_if = "LogPolicy::is_default")]
    pub log: LogPolicy,
    /// The percentage of its timeout after which a check is slow, which is logged (H12). Default: none is slow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_percent: Option<u8>,
    /// How long a drain lasts (H27). Default: its end cannot be observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<Drain>,
}

impl Setup {
    /// The path of H11's endpoint.
    pub(crate) fn url(&self) -> &str {
        let url = self.settings.get("healthcheck.url");
        url.map_or("/health", String::as_str)
    }

    /// Whether one scenario can affect the next on the same server: a check may be still running or counts its
    /// executions, a latch is released, or a state was logged.
    pub(crate) fn has_memory(&self) -> bool {
        let has_memory = !self.latches.is_empty()
            || self.log == LogPolicy::Change
            || self.slow_percent.is_some();
        has_memory
            || self.checks.iter().any(|check| {
                let is_over_at_once =
                    matches!(check.behaviour, Behaviour::Report | Behaviour::Panic(_));
                !is_over_at_once
                    || !check.then.is_empty()
                    || check.is_in_background()
                    || check.has_thresholds()
                    || check.shared
                    || check.is_rich()
            })
    }
}

impl fmt::Display for Setup {
    /// Everything that is not a default, in a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.settings.iter().map(|(key, value)| format!("{key} = {value:?}"));
        let checks = self.checks.iter().map(|check| {
            let Check { name, status, .. } = check;
            match check.behaviour {
                Behaviour::Report => format!("check {name:?} {status:?}"),
                behaviour => format!("check {name:?} {:?}", String::from(behaviour)),
            }
        });
        let endpoints = self.endpoints.iter().map(|it| format!("{:?} at {:?}", it.preset, it.path));
        let latches = self.latches.iter().map(|name| format!("latch {name:?}"));
        let all = settings.chain(checks).chain(endpoints).chain(latches);
        f.write_str(&all.collect::<Vec<_>>().join(", "))
    }
}

/// One check of a server under test. It reports one result; several checks may share a name.
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
    /// Whether it reports that it is degraded, whatever its status (H23). Default: `false`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub degraded: bool,
    /// The reason to report (H23). Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The values to report (H23). Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// Its timeout (H12). Default: 5 seconds.
    #[serde(default = "five_seconds", with = "milliseconds")]
    pub timeout: Duration,
    /// Whether its failure leaves the response OK (H13). Default: `false`.
    #[serde(default)]
    pub optional: bool,
    /// Whether many hosts share the dependency (H22). Default: `false`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shared: bool,
    /// The limit for the failure of a shared check (H22). Default: none.
    #[serde(default, with = "milliseconds::optional", skip_serializing_if = "Option::is_none")]
    pub fail_after: Option<Duration>,
    /// Its period in the background (H14). Default: it runs on request.
    #[serde(default, with = "milliseconds::optional")]
    pub every: Option<Duration>,
    /// Its period as long as it counts as failing (H14). Default: `every`.
    #[serde(default, with = "milliseconds::optional", skip_serializing_if = "Option::is_none")]
    pub every_while_failing: Option<Duration>,
    /// Number of consecutive failures that count (H15). Default: 1.
    #[serde(default = "one")]
    pub failure_threshold: u32,
    /// Number of consecutive OK results that count after a failure (H15). Default: 1.
    #[serde(default = "one")]
    pub success_threshold: u32,
    /// The tags by which endpoints select it (H16). Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether it tests only the process itself, so that a liveness endpoint may run it (H16). Default: `false`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub process_only: bool,
    /// Later executions; the last one repeats. Default: like the first.
    #[serde(default)]
    pub then: Vec<Execution>,
}

/// A later execution of a check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// The status to report. Default: `OK`.
    #[serde(default = "ok")]
    pub status: String,
    /// The message to report. Default: none.
    #[serde(default)]
    pub message: Option<String>,
    /// What it does before it reports. Default: nothing.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// Whether it reports that it is degraded, whatever its status (H23). Default: `false`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub degraded: bool,
    /// The reason to report (H23). Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The values to report (H23). Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

impl Execution {
    /// Whether it reports more than a status and a message (H23).
    pub(crate) fn is_rich(&self) -> bool {
        self.degraded || self.reason.is_some() || !self.values.is_empty()
    }
}

impl Check {
    /// The execution after `before` earlier ones.
    pub fn execution(&self, before: usize) -> Execution {
        let later =
            before.checked_sub(1).and_then(|index| self.then.get(index).or(self.then.last()));
        later.cloned().unwrap_or_else(|| Execution {
            status: self.status.clone(),
            message: self.message.clone(),
            behaviour: self.behaviour,
            degraded: self.degraded,
            reason: self.reason.clone(),
            values: self.values.clone(),
        })
    }

    pub(crate) fn is_in_background(&self) -> bool {
        self.every.is_some()
    }

    /// Whether it exchanges views with peers.
    pub(crate) fn is_of_peers(&self) -> bool {
        self.behaviour == Behaviour::Peers
    }

    pub(crate) fn has_thresholds(&self) -> bool {
        self.failure_threshold > 1 || self.success_threshold > 1
    }

    /// Whether it reports more than a status and a message (H23). What is not accepted is logged once.
    pub(crate) fn is_rich(&self) -> bool {
        self.executions().any(|execution| execution.is_rich())
    }

    /// All of them that the setup describes, in order.
    pub(crate) fn executions(&self) -> impl Iterator<Item = Execution> + Clone {
        (0..=self.then.len()).map(|before| self.execution(before))
    }

    /// Whether any of its executions panics.
    pub(crate) fn panics(&self) -> bool {
        self.behaviour.is_panic() || self.then.iter().any(|later| later.behaviour.is_panic())
    }

    /// Whether its first execution exceeds its timeout.
    pub(crate) fn outlives_timeout(&self) -> bool {
        self.behaviour.outlives(self.timeout)
    }

    /// Whether its result depends on earlier executions.
    pub(crate) fn changes(&self) -> bool {
        !self.then.is_empty() || self.is_in_background() || self.has_thresholds() || self.shared
    }
}

fn ok() -> String {
    "OK".to_owned()
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::{Behaviour, Setup};

    #[test]
    fn absent_keys_have_the_defaults_of_the_protocol() {
        let short: Setup = serde_json::from_str(r#"{"checks":[{"name":"db"}]}"#).unwrap();
        let long = r#"{"settings":{},"checks":[
            {"name":"db","status":"OK","message":null,"behaviour":"report","timeout":5000,
             "optional":false,"every":null,"failure_threshold":1,"success_threshold":1,"then":[]}]}"#;
        assert_eq!(short, serde_json::from_str(long).unwrap());
    }

    #[test]
    fn what_is_written_reads_back() {
        let json = r#"{"settings":{"healthcheck.url":"/h"},"checks":[{"name":"db","status":"","message":"m","behaviour":"slow:50","timeout":5000,"optional":false,"every":null,"failure_threshold":1,"success_threshold":1,"then":[]},{"name":"db","status":"OK","message":null,"behaviour":"block:9","timeout":7,"optional":true,"every":100,"failure_threshold":2,"success_threshold":3,"then":[{"status":"OK","message":null,"behaviour":"panic:drop"}]}]}"#;
        let setup: Setup = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&setup).unwrap(), json);
        for text in ["report", "panic", "panic:call", "panic:payload", "hang", "peers"] {
            let behaviour = Behaviour::try_from(text.to_owned()).unwrap();
            assert_eq!(String::from(behaviour), text);
        }
    }

    #[test]
    fn endpoints_latches_and_tags_read_back() {
        let json = r#"{"settings":{},"checks":[{"name":"db","status":"OK","message":null,"behaviour":"report","timeout":5000,"optional":false,"every":null,"failure_threshold":1,"success_threshold":1,"tags":["deep"],"process_only":true,"then":[]}],"endpoints":[{"path":"/ready","preset":"readiness"},{"path":"/up","preset":"haproxy_404","checks":["db"],"tags":["deep"],"run_checks":"always","retry_after":30}],"latches":["migrations"],"log":"change"}"#;
        let setup: Setup = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&setup).unwrap(), json);
    }

    #[test]
    fn what_is_empty_is_not_sent_to_testees_that_do_not_know_it() {
        let json = serde_json::to_string(&Setup::default()).unwrap();
        assert_eq!(json, r#"{"settings":{},"checks":[]}"#);
    }

    #[test]
    fn unknown_keys_and_behaviours_are_refused() {
        for json in [
            r#"{"setings":{}}"#,
            r#"{"checks":[{"name":"db","state":"OK"}]}"#,
            r#"{"checks":[{"name":"db","behaviour":"slow"}]}"#,
            r#"{"checks":[{"name":"db","behaviour":"slow:x"}]}"#,
            r#"{"checks":[{"name":"db","behaviour":"hang:1"}]}"#,
            r#"{"checks":[{"name":"db","behaviour":"peers:1"}]}"#,
            r#"{"checks":[{"name":"db","behaviour":"panic:later"}]}"#,
            r#"{"checks":[{"name":"db","timeout":null}]}"#,
            r#"{"checks":[{"name":"db","then":[{"name":"db"}]}]}"#,
            r#"{"endpoints":[{"path":"/ready"}]}"#,
            r#"{"endpoints":[{"path":"/ready","preset":"ready"}]}"#,
            r#"{"endpoints":[{"path":"/ready","preset":"readiness","run_checks":"off"}]}"#,
            r#"{"latches":["a"],"log":"never"}"#,
        ] {
            assert!(serde_json::from_str::<Setup>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn later_executions_are_those_listed_and_the_last_repeats() {
        let json =
            r#"{"checks":[{"name":"db","then":[{"status":"a"},{"status":"b"}]},{"name":"db"}]}"#;
        let setup: Setup = serde_json::from_str(json).unwrap();
        let statuses = |check: usize| {
            let check = &setup.checks[check];
            [0, 1, 2, 3].map(|before| check.execution(before).status)
        };
        assert_eq!(statuses(0), ["OK", "a", "b", "b"]);
        assert_eq!(statuses(1), ["OK"; 4]);
    }
}
