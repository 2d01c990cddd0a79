//! A running server, with the setup that its owner describes.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use crate::scenario::capability::{Capability, Lacks};
use crate::scenario::expected_endpoint::{ExpectedEndpoint, expected_answer};
use crate::scenario::{Answer, Scenario};
use crate::setup::{Check, LogPolicy, Setup};
use crate::target::journal::Journal;
use crate::target::{Harness, Server, StartError};

const URL: &str = "healthcheck.url";
const DISABLEFILE: &str = "healthcheck.disablefile";
const RUN_CHECKS: &str = "healthcheck.run_checks";

/// The settings of the endpoint except the disablefile, and their defaults.
const DEFAULTS: [(&str, &str); 5] = [
    (URL, "/health"),
    ("healthcheck.maintenance_code", "299"),
    ("healthcheck.failure_code", "503"),
    (RUN_CHECKS, "on_request"),
    ("healthcheck.timeout", "5s"),
];

/// The prefix of the settings of single checks.
const OF_CHECK: &str = "healthcheck.check.";

/// A running server. Scenarios that need another setup are skipped, and so are those about log records and the start, which
/// cannot be observed.
#[derive(Debug, Clone)]
pub struct RunningServer {
    address: SocketAddr,
    /// Includes the disablefile that the suite creates and removes.
    setup: Setup,
    toggles: bool,
}

/// Why a running server cannot be tested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunningError {
    /// The URL is not `http://HOST:PORT`, with no path.
    #[error("{0:?} is not of the form http://HOST:PORT")]
    Url(String),
    /// The host has no address.
    #[error("{url:?}: {problem}")]
    Host {
        /// The URL as given.
        url: String,
        /// The error of the resolver.
        problem: String,
    },
    /// Something exists at the path of the disablefile.
    #[error(
        "{0:?} exists: the server is in maintenance, or the file belongs to another program; remove it first"
    )]
    Disablefile(PathBuf),
    /// The suite cannot create a file there.
    #[error("cannot create and remove {path:?}: {problem}")]
    Directory {
        /// The path of the disablefile.
        path: PathBuf,
        /// The error of the system.
        problem: String,
    },
    /// There is no such setting.
    #[error("there is no setting {0}")]
    Setting(String),
}

impl RunningServer {
    /// The server at `url` with this setup. The suite creates and removes `disablefile`; without one, scenarios about
    /// maintenance are skipped.
    ///
    /// # Errors
    ///
    /// The URL has another form or no address, something exists at the path of the disablefile, or a setting is unknown.
    pub fn new(url: &str, setup: Setup, disablefile: Option<&Path>) -> Result<Self, RunningError> {
        let address = address(url)?;
        let mut setup = setup;
        // A running server has started, and its log cannot be observed.
        setup.latches.clear();
        setup.log = LogPolicy::default();
        let is_unknown = |key: &&String| {
            key.starts_with("healthcheck.") && !is_setting(key) && *key != DISABLEFILE
        };
        if let Some(key) = setup.settings.keys().find(is_unknown) {
            return Err(RunningError::Setting(key.clone()));
        }
        if let Some(path) = disablefile {
            if path.symlink_metadata().is_ok() {
                return Err(RunningError::Disablefile(path.to_owned()));
            }
            let unusable = |error: io::Error| RunningError::Directory {
                path: path.to_owned(),
                problem: error.to_string(),
            };
            File::create_new(path).map_err(unusable)?;
            fs::remove_file(path).map_err(unusable)?;
            let path = std::path::absolute(path).map_err(unusable)?;
            let path = path.to_string_lossy().into_owned();
            setup.settings.insert(DISABLEFILE.to_owned(), path);
        }
        Ok(Self { address, setup, toggles: disablefile.is_some() })
    }
}

fn address(url: &str) -> Result<SocketAddr, RunningError> {
    let host = url.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let Some(host) = host.filter(|host| !host.contains(['/', '?', '#', '@'])) else {
        return Err(RunningError::Url(url.to_owned()));
    };
    let problem = |problem: String| RunningError::Host { url: url.to_owned(), problem };
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
    fn start(&self, _: &Setup, _: &Journal) -> Result<Server, StartError> {
        Ok(Server::new(self.address, || {}))
    }

    fn lacks(&self) -> Lacks {
        let reason = |what: &str| format!("--url does not show {what}");
        Lacks::from([
            (Capability::Log, reason("the log of the server")),
            (Capability::Checks, reason("when checks start")),
        ])
    }

    fn fit(&self, scenario: &Scenario) -> Result<Scenario, String> {
        if let Some(reason) = self.obstacle(scenario) {
            return Err(reason);
        }
        let url = setting(&self.setup, URL);
        let mut fitted = scenario.clone();
        fitted.setup = self.setup.clone();
        for step in &mut fitted.steps {
            let codes = [&scenario.setup, &self.setup].map(|setup| {
                let endpoint = ExpectedEndpoint::at(setup, &step.target);
                expected_answer(step.response, &endpoint)
            });
            if step.reason.is_some() && codes[0] != codes[1] {
                return Err("needs the reason phrase of another status code".to_owned());
            }
            let own_page = || "requests a path that may be a page of the application".to_owned();
            if step.response == Answer::NotFoundOrRefused && !step.target.contains("/health") {
                return Err(own_page());
            }
            let target = step.target.replace(setting(&scenario.setup, URL), url);
            if step.response == Answer::NotFound {
                let path = target.split('?').next();
                if [Some(url), Some("/")].contains(&path) {
                    return Err(own_page());
                }
                if target == step.target && url != "/health" {
                    return Err("requests a variant of the path /health".to_owned());
                }
            }
            step.target = target;
        }
        Ok(fitted)
    }
}

impl RunningServer {
    /// Why this server cannot run a scenario. The reasons contain no detail of the scenario,
    /// so that a report can group scenarios by reason.
    fn obstacle(&self, scenario: &Scenario) -> Option<String> {
        if scenario.is_about_the_start() {
            return Some("needs a server that the suite starts (--cmd)".to_owned());
        }
        if scenario.commands().next().is_some() {
            return Some("sends commands to the server, such as DRAIN (--cmd)".to_owned());
        }
        let wanted = &scenario.setup;
        if !wanted.latches.is_empty() {
            return Some("needs a server that is starting (--cmd)".to_owned());
        }
        if !wanted.endpoints.is_empty() && wanted.endpoints != self.setup.endpoints {
            return Some(match self.setup.endpoints.len() {
                0 => "needs more endpoints, and --setup describes none".to_owned(),
                _ => "needs other endpoints than --setup describes".to_owned(),
            });
        }
        // A scenario with default settings can run with any others.
        let other = |(key, value): &(&String, &String)| setting(&self.setup, key) != value.as_str();
        if let Some((key, _)) =
            scenario.settings.iter().filter(|(key, _)| is_setting(key)).find(other)
        {
            return Some(match setting(&self.setup, key) {
                "" => format!("needs the setting {key}"),
                has => format!("needs another value of {key} than {has:?}"),
            });
        }
        let has = setting(&self.setup, RUN_CHECKS);
        if has != setting(wanted, RUN_CHECKS) && depends_on_checks(scenario) {
            return Some(format!("needs another value of {RUN_CHECKS} than {has:?}"));
        }
        let path = wanted.settings.get(DISABLEFILE);
        if path.is_some_and(|path| path != "{dir}/maintenance") {
            return Some(format!("needs another value of {DISABLEFILE}"));
        }
        if scenario.has_marker() && !self.toggles {
            return Some("creates and removes the disablefile (--disablefile)".to_owned());
        }
        let (wanted, has) = (&wanted.checks, &self.setup.checks);
        if !depends_on_checks(scenario) || is_alike(wanted, has) {
            return None;
        }
        Some(match (outcome(wanted), outcome(has)) {
            (wanted, has) if wanted == has => format!("needs other {has} than --setup describes"),
            (wanted, has) => format!("needs {wanted}, and --setup describes {has}"),
        })
    }
}

/// Whether a scenario with the checks `wanted` can run on a server with the checks `has`.
fn is_alike(wanted: &[Check], has: &[Check]) -> bool {
    let is_simple = |check: &Check| !check.optional && !check.changes();
    if wanted.iter().all(is_simple) {
        outcome(wanted) == outcome(has)
    } else {
        // The responses depend on each check.
        wanted == has
    }
}

/// Whether other checks than those of the scenario could change a response or its meaning.
fn depends_on_checks(scenario: &Scenario) -> bool {
    let setup = &scenario.setup;
    let has_checks = !setup.checks.is_empty() || !setup.endpoints.is_empty();
    scenario.steps.iter().any(|step| {
        let is_elsewhere = matches!(step.response, Answer::NotFound | Answer::NotFoundOrRefused);
        !is_elsewhere && (has_checks || step.target.contains("checks"))
    })
}

/// Whether a key is a setting other than the disablefile.
fn is_setting(key: &str) -> bool {
    key.starts_with(OF_CHECK) || DEFAULTS.iter().any(|(other, _)| *other == key)
}

/// The value of a setting, or its default.
fn setting<'a>(setup: &'a Setup, key: &str) -> &'a str {
    let default = DEFAULTS.iter().find(|(other, _)| *other == key).map_or("", |(_, value)| value);
    setup.settings.get(key).map_or(default, String::as_str)
}

/// The kind of checks that decides how a scenario turns out.
fn outcome(checks: &[Check]) -> &'static str {
    let any = |is_so: fn(&Check) -> bool| checks.iter().any(is_so);
    if checks.is_empty() {
        "no checks"
    } else if any(Check::is_in_background) {
        "background checks"
    } else if any(Check::changes) {
        "checks with changing results"
    } else if any(Check::outlives_timeout) {
        "checks that time out"
    } else if any(Check::panics) {
        "checks that panic"
    } else if any(|check| check.optional) {
        "optional checks"
    } else if any(|check| check.status != "OK") {
        "failing checks"
    } else {
        "passing checks"
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{RunningError, RunningServer};
    use crate::scenario::Suite;
    use crate::setup::Setup;
    use crate::target::Harness as _;

    fn server(setup: &str, disablefile: Option<&str>) -> RunningServer {
        let setup: Setup = serde_json::from_str(setup).unwrap();
        RunningServer::new("http://127.0.0.1:1", setup, disablefile.map(Path::new)).unwrap()
    }

    /// The reason why a scenario is skipped, or an empty text.
    fn reason(server: &RunningServer, id: &str) -> String {
        let suite = Suite::builtin().unwrap();
        let scenario = suite.matching(id).next().unwrap();
        server.fit(scenario).err().unwrap_or_default()
    }

    #[test]
    fn a_scenario_about_this_server_is_played_and_any_other_skipped_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let disablefile = directory.path().join("maintenance");
        let plain = server("{}", disablefile.to_str());
        assert_eq!(reason(&plain, "path/exact"), "");
        assert_eq!(reason(&plain, "maintenance/file"), "");
        for (id, words) in [
            (
                "maintenance/configured-code",
                "another value of healthcheck.maintenance_code than \"299\"",
            ),
            ("maintenance/name-too-long", "another value of healthcheck.disablefile"),
            ("maintenance/off", "another value of healthcheck.disablefile"),
            ("query/runs-all", "needs failing checks, and --setup describes no checks"),
            ("query/skips-no-value", "needs failing checks"),
            ("verdict/no-reports", ""),
            ("path/trailing-slash", ""),
            ("panic/is-an-error", "needs checks that panic"),
            ("setting/url-empty", "a server that the suite starts (--cmd)"),
            (
                "setting/check-timeout-longer",
                "needs the setting healthcheck.check.database-check.timeout",
            ),
            ("drain/next-request", "sends commands to the server"),
            ("state/maintenance-over-starting", "that is starting"),
            ("endpoint/no-checks", "needs more endpoints"),
        ] {
            let reason = reason(&plain, id);
            assert!(reason.contains(words), "{id}: {reason:?}");
        }
    }

    #[test]
    fn a_scenario_about_endpoints_is_played_on_a_server_that_has_them() {
        let suite = Suite::builtin().unwrap();
        let scenario = suite.matching("endpoint/checks-always").next().unwrap();
        let setup =
            serde_json::to_string(scenario.setup()).unwrap().replace("{dir}", "/no such directory");
        assert_eq!(reason(&server(&setup, None), scenario.id()), "");
        let others = setup.replace("consul", "nagios").replace("/always", "/ever");
        assert!(reason(&server(&others, None), scenario.id()).contains("other endpoints"));
    }

    #[test]
    fn without_a_disablefile_nothing_is_touched() {
        let plain = server("{}", None);
        assert!(reason(&plain, "maintenance/file").contains("--disablefile"));
        assert!(reason(&plain, "wire/toggled-under-load").contains("--disablefile"));
    }

    #[test]
    fn checks_of_the_same_outcome_will_do() {
        let failing =
            server(r#"{"checks":[{"name":"shop","status":"ERROR"},{"name":"db"}]}"#, None);
        assert_eq!(reason(&failing, "query/runs-all"), "");
        assert_eq!(reason(&failing, "path/exact"), "");
        assert!(reason(&failing, "verdict/no-reports").contains("needs no checks, and"));
    }

    #[test]
    fn only_the_same_checks_will_do_where_the_responses_depend_on_each() {
        let suite = Suite::builtin().unwrap();
        for id in ["optional/fails", "threshold/failures"] {
            let scenario = suite.matching(id).next().unwrap();
            let same = serde_json::to_string(scenario.setup())
                .unwrap()
                .replace("{dir}", "/no such directory");
            assert_eq!(reason(&server(&same, None), id), "", "{id}");
            let other = same.replacen("\"checks\":[", "\"checks\":[{\"name\":\"other\"},", 1);
            assert!(reason(&server(&other, None), id).contains("than --setup describes"), "{id}");
        }
    }

    #[test]
    fn a_scenario_with_the_defaults_is_played_on_other_settings_too() {
        let settings = r#"{"healthcheck.url":"/status","healthcheck.maintenance_code":"503"}"#;
        let strict = server(&format!(r#"{{"settings":{settings}}}"#), None);
        let suite = Suite::builtin().unwrap();
        let target = |id: &str| {
            let fitted = strict.fit(suite.matching(id).next().unwrap()).unwrap();
            fitted.steps[0].target.clone()
        };
        assert_eq!(target("path/exact"), "/status");
        assert_eq!(target("path/double-slash"), "//status");
        assert_eq!(target("path/any-query"), "/status?a=/other/path&b=//&c=..%2Fx");
        let root = server(r#"{"settings":{"healthcheck.url":"/"}}"#, None);
        assert!(reason(&root, "path/root").contains("a page of the application"));
        assert_eq!(reason(&root, "path/exact"), "");
        assert!(reason(&strict, "path/upper-case").contains("a variant of the path"));
        assert!(reason(&strict, "path/configured").contains("healthcheck.url"));
    }

    #[test]
    fn a_server_that_cannot_be_is_refused() {
        let setup: Setup = serde_json::from_str(r#"{"settings":{"healthcheck.ulr":"/"}}"#).unwrap();
        let refused = RunningServer::new("http://127.0.0.1:1", setup, None).unwrap_err();
        assert!(refused.to_string().contains("healthcheck.ulr"), "{refused}");
        let nowhere = Some(Path::new("/no such directory/maintenance"));
        let refused = RunningServer::new("http://127.0.0.1:1", Setup::default(), nowhere);
        assert!(matches!(refused, Err(RunningError::Directory { .. })));
    }

    #[test]
    fn a_url_is_a_host_and_a_port() {
        let new =
            |url| RunningServer::new(url, Setup::default(), None).map(|server| server.address);
        assert_eq!(new("http://127.0.0.1:8080/"), Ok(([127, 0, 0, 1], 8080).into()));
        assert_eq!(new("http://127.0.0.1"), Ok(([127, 0, 0, 1], 80).into()));
        for url in ["127.0.0.1:80", "https://127.0.0.1", "http://127.0.0.1/health", "http://a@b"] {
            assert_eq!(new(url), Err(RunningError::Url(url.to_owned())));
        }
        assert!(matches!(new("http://"), Err(RunningError::Host { .. })));
    }

    #[test]
    fn a_disablefile_that_exists_is_left_alone() {
        let there = Path::new(env!("CARGO_MANIFEST_DIR"));
        let refused = RunningServer::new("http://127.0.0.1:1", Setup::default(), Some(there));
        assert_eq!(refused.unwrap_err(), RunningError::Disablefile(there.to_owned()));
    }
}
