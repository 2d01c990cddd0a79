//! A server that runs already: what it shows is what its owner says it was started with.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use crate::capability::{Capability, Lacks};
use crate::given::{Behaviour, Check, Given};
use crate::harness::{Harness, Server, StartError};
use crate::journal::Journal;
use crate::scenario::{Answer, Scenario};

const DISABLEFILE: &str = "healthcheck.disablefile";

/// A server that runs already, as a [`Harness`]: scenarios about another server than the one it is are
/// skipped, and so are those about its log and its start, which cannot be observed.
#[derive(Debug, Clone)]
pub struct RunningServer {
    address: SocketAddr,
    /// With the disablefile that the suite may toggle.
    given: Given,
    toggles: bool,
}

/// Why a running server cannot be tested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunningError {
    /// The URL is not `http://HOST:PORT`, with no path.
    #[error("{0:?} is not http://HOST:PORT, with nothing behind it")]
    Url(String),
    /// The host has no address.
    #[error("{url:?}: {problem}")]
    Host {
        /// As it was given.
        url: String,
        /// What the resolver said.
        problem: String,
    },
    /// Something stands at the path that the suite would touch and remove.
    #[error(
        "{0:?} exists: the server is in maintenance, or the file is something else's; remove it first"
    )]
    Disablefile(PathBuf),
}

impl RunningServer {
    /// The server at `url`, started with what `given` says. `disablefile` is the path at which the
    /// suite may put its markers, and removes them; without one, scenarios about maintenance are skipped.
    ///
    /// # Errors
    ///
    /// The URL has another form, or no address; something is at the path of the disablefile.
    pub fn new(url: &str, given: Given, disablefile: Option<&Path>) -> Result<Self, RunningError> {
        let address = address(url)?;
        let mut given = given;
        if let Some(path) = disablefile {
            if path.symlink_metadata().is_ok() {
                return Err(RunningError::Disablefile(path.to_owned()));
            }
            let path = path.to_string_lossy().into_owned();
            given.settings.insert(DISABLEFILE.to_owned(), path);
        }
        Ok(Self {
            address,
            given,
            toggles: disablefile.is_some(),
        })
    }
}

fn address(url: &str) -> Result<SocketAddr, RunningError> {
    let host = url
        .strip_prefix("http://")
        .map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let Some(host) = host.filter(|host| !host.contains(['/', '?', '#', '@'])) else {
        return Err(RunningError::Url(url.to_owned()));
    };
    let problem = |problem: String| RunningError::Host {
        url: url.to_owned(),
        problem,
    };
    let addresses = match host.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => host.to_socket_addrs(),
        _ => (host, 80).to_socket_addrs(),
    };
    addresses
        .map_err(|error| problem(error.to_string()))?
        .next()
        .ok_or_else(|| problem("no address".to_owned()))
}

impl Harness for RunningServer {
    fn start(&self, _: &Given, _: &Journal) -> Result<Server, StartError> {
        Ok(Server::new(self.address, || {}))
    }

    fn lacks(&self) -> Lacks {
        let why = |what: &str| format!("{what} of a server that runs already cannot be observed");
        Lacks::from([
            (Capability::Log, why("the log")),
            (Capability::Checks, why("starts of the checks")),
            (Capability::Start, why("the start")),
        ])
    }

    fn given(&self, scenario: &Scenario) -> Result<Given, String> {
        if scenario.is_about_the_start() {
            return Err("it is about the start of a server".to_owned());
        }
        let wanted = scenario.given();
        let ours = settings(&self.given);
        for (key, value) in settings(wanted) {
            let has = ours.get(key).copied().unwrap_or_default();
            if has != value {
                return Err(format!(
                    "it wants {key} = {value:?}, and the server has {has:?}"
                ));
            }
        }
        let disablefile = wanted.settings.get(DISABLEFILE).map(String::as_str);
        if disablefile.is_some_and(|path| path != "{dir}/maintenance") {
            return Err("it wants a disablefile at a path of its own".to_owned());
        }
        if scenario.has_marker() && !self.toggles {
            return Err("it touches the disablefile, and no --disablefile is given".to_owned());
        }
        let (wanted, has) = (outcome(&wanted.checks), outcome(&self.given.checks));
        if wanted != has && depends_on_checks(scenario) {
            return Err(format!(
                "it wants a server with {wanted}, and this one has {has}"
            ));
        }
        Ok(self.given.clone())
    }
}

/// Whether other checks than the scenario's could change an answer, or take away what it shows.
fn depends_on_checks(scenario: &Scenario) -> bool {
    let has_checks = !scenario.given.checks.is_empty();
    scenario.steps.iter().any(|step| {
        let is_elsewhere = step.answer == Answer::NotFound;
        !is_elsewhere && (has_checks || step.target.contains("checks"))
    })
}

/// Every setting of the endpoint but the disablefile, defaults included.
fn settings(given: &Given) -> BTreeMap<&str, &str> {
    let mut settings = BTreeMap::from([
        ("healthcheck.url", "/health"),
        ("healthcheck.maintenance_code", "299"),
        ("healthcheck.failure_code", "503"),
    ]);
    let written = given.settings.iter();
    let written = written.map(|(key, value)| (key.as_str(), value.as_str()));
    settings
        .extend(written.filter(|(key, _)| key.starts_with("healthcheck.") && *key != DISABLEFILE));
    settings
}

/// What asking for these checks leads to, in words.
fn outcome(checks: &[Check]) -> &'static str {
    let any =
        |behaviour: fn(Behaviour) -> bool| checks.iter().any(|check| behaviour(check.behaviour));
    if checks.is_empty() {
        "no checks"
    } else if any(|behaviour| behaviour == Behaviour::Hang) {
        "a check that hangs"
    } else if any(|behaviour| behaviour == Behaviour::Panic) {
        "a check that panics"
    } else if checks.iter().any(|check| check.status != "OK") {
        "a check that fails"
    } else {
        "checks that pass"
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{RunningError, RunningServer};
    use crate::given::Given;
    use crate::harness::Harness as _;
    use crate::scenario::Suite;

    fn server(given: &str, disablefile: Option<&str>) -> RunningServer {
        let given: Given = serde_json::from_str(given).unwrap();
        RunningServer::new("http://127.0.0.1:1", given, disablefile.map(Path::new)).unwrap()
    }

    /// Why a scenario is skipped; empty when it is not.
    fn reason(server: &RunningServer, id: &str) -> String {
        let suite = Suite::builtin().unwrap();
        let scenario = suite.matching(id).next().unwrap();
        server.given(scenario).err().unwrap_or_default()
    }

    #[test]
    fn a_scenario_about_this_server_is_played_and_any_other_skipped_with_the_reason() {
        let plain = server("{}", Some("/nowhere/maintenance"));
        assert_eq!(reason(&plain, "path/exact"), "");
        assert_eq!(reason(&plain, "maintenance/file"), "");
        for (id, words) in [
            (
                "maintenance/configured-code",
                "healthcheck.maintenance_code = \"503\"",
            ),
            ("maintenance/name-too-long", "a path of its own"),
            ("maintenance/off", "a path of its own"),
            (
                "query/runs-all",
                "a check that fails, and this one has no checks",
            ),
            ("query/skips-no-value", "a check that fails"),
            ("verdict/no-reports", ""),
            ("path/trailing-slash", ""),
            ("panic/is-an-error", "a check that panics"),
            ("setting/url-empty", "the start"),
        ] {
            let reason = reason(&plain, id);
            assert!(reason.contains(words), "{id}: {reason:?}");
        }
    }

    #[test]
    fn without_a_disablefile_nothing_is_touched() {
        let plain = server("{}", None);
        assert!(reason(&plain, "maintenance/file").contains("--disablefile"));
        assert!(reason(&plain, "wire/toggled-under-load").contains("--disablefile"));
    }

    #[test]
    fn checks_of_the_same_outcome_will_do() {
        let failing = server(
            r#"{"checks":[{"name":"shop","status":"ERROR"},{"name":"db"}]}"#,
            None,
        );
        assert_eq!(reason(&failing, "query/runs-all"), "");
        assert_eq!(reason(&failing, "path/exact"), "");
        assert!(reason(&failing, "verdict/no-reports").contains("with no checks"));
    }

    #[test]
    fn a_url_is_a_host_and_a_port() {
        let new =
            |url| RunningServer::new(url, Given::default(), None).map(|server| server.address);
        assert_eq!(
            new("http://127.0.0.1:8080/"),
            Ok(([127, 0, 0, 1], 8080).into())
        );
        assert_eq!(new("http://127.0.0.1"), Ok(([127, 0, 0, 1], 80).into()));
        for url in [
            "127.0.0.1:80",
            "https://127.0.0.1",
            "http://127.0.0.1/health",
            "http://a@b",
        ] {
            assert_eq!(new(url), Err(RunningError::Url(url.to_owned())));
        }
        assert!(matches!(new("http://"), Err(RunningError::Host { .. })));
    }

    #[test]
    fn a_disablefile_that_exists_is_left_alone() {
        let there = Path::new(env!("CARGO_MANIFEST_DIR"));
        let refused = RunningServer::new("http://127.0.0.1:1", Given::default(), Some(there));
        assert_eq!(
            refused.unwrap_err(),
            RunningError::Disablefile(there.to_owned())
        );
    }
}
