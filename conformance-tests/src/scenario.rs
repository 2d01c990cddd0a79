//! Scenarios: data in TOML, one topic a file.
//!
//! # Format
//!
//! A file `topic.toml` holds scenarios with ids `topic/words-with-dashes`:
//!
//! ```toml
//! [[scenario]]
//! id = "maintenance/beats-failing-check"
//! rule = "H4"
//! says = "no check is started in maintenance, and none can turn it into an error"
//! given = "failing"                 # a server described in given.toml; default: "plain"
//! settings = { "healthcheck.maintenance_code" = "503" }  # laid over its settings; default: none
//!
//! [[scenario.step]]
//! marker = "file"                   # put at the disablefile's path before the request; default: as it is
//! method = "GET"                    # the default, as are the next three
//! target = "/health"
//! version = "HTTP/1.1"
//! headers = ["Host: localhost", "Connection: close"]
//! body = ""
//! content_length = 0                # default: that of the body, where there is one
//! answer = "maintenance"            # ok, maintenance, error, not-found, ok-or-refused
//! checks = "start"                  # whether every check of the server starts; default: "rest"
//! reason = "MAINTENANCE"            # default: not looked at
//! warnings = 0                      # records at WARN; default: 0
//! times = 1                         # how often to do this step; default: once
//! ```
//!
//! `answer` stands for everything the contract says of it: status line, body, all headers, the log
//! record with its results in order, and that nothing of a check is on the wire.
//!
//! A scenario about the start has, instead of steps or before them:
//!
//! ```toml
//! start = "refused"                 # its settings are an error that names key and value; default: "ready"
//! start_warnings = 1                # records at WARN by the time it is ready; default: 0
//! ```
//!
//! In settings, messages and targets, `{dir}` is a fresh directory, `{open}` one in it that everybody may
//! write to, and `{repeat:x:300}` three hundred times `x`; in targets, `{byte:ff}` is one raw byte. A key
//! that is not listed here is an error, and so is a scenario that does the same as another.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use wildmatch::WildMatch;

use crate::given::Given;
use crate::marker::Marker;
use crate::rule::Rule;

/// All scenarios, and the rules they cite.
#[derive(Debug, Clone)]
pub struct Suite {
    pub(crate) rules: Vec<Rule>,
    pub(crate) scenarios: Vec<Scenario>,
}

/// One scenario: a server, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub(crate) id: String,
    pub(crate) rule: String,
    pub(crate) says: String,
    pub(crate) given: Given,
    /// The settings that are this scenario's own.
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) start: Start,
    pub(crate) start_warnings: usize,
    pub(crate) steps: Vec<Step>,
}

impl Scenario {
    /// Its name, such as `maintenance/beats-failing-check`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The rule it cites, such as `H4`.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// What it says, in a sentence.
    pub fn says(&self) -> &str {
        &self.says
    }

    /// Whether the two differ in nothing but their words.
    fn does_as(&self, other: &Self) -> bool {
        self.given == other.given
            && self.start == other.start
            && self.start_warnings == other.start_warnings
            && self.steps == other.steps
    }
}

/// What becomes of the server's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Start {
    #[default]
    Ready,
    Refused,
}

/// One request, and what must come of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) marker: Option<Marker>,
    #[serde(default = "get")]
    pub(crate) method: String,
    #[serde(default = "health")]
    pub(crate) target: String,
    #[serde(default = "http_1_1")]
    pub(crate) version: String,
    #[serde(default = "host_and_close")]
    pub(crate) headers: Vec<String>,
    #[serde(default)]
    pub(crate) body: String,
    pub(crate) content_length: Option<usize>,
    pub(crate) answer: Answer,
    #[serde(default)]
    pub(crate) checks: Checks,
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) warnings: usize,
    #[serde(default = "once")]
    pub(crate) times: usize,
}

fn get() -> String {
    "GET".to_owned()
}

fn health() -> String {
    "/health".to_owned()
}

fn http_1_1() -> String {
    "HTTP/1.1".to_owned()
}

fn host_and_close() -> Vec<String> {
    vec!["Host: localhost".to_owned(), "Connection: close".to_owned()]
}

fn once() -> usize {
    1
}

/// What a request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    Ok,
    Maintenance,
    Error,
    NotFound,
    /// OK, or a 4xx of the server before the endpoint is reached; nothing is logged either way.
    OkOrRefused,
}

/// Whether a request starts the checks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Checks {
    #[default]
    Rest,
    Start,
}

/// A scenario file that cannot be used: where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct LoadError {
    file: String,
    problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFile {
    scenario: Vec<Written>,
}

/// A scenario as it stands in its file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    rule: String,
    says: String,
    #[serde(default = "plain")]
    given: String,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    start: Start,
    #[serde(default)]
    start_warnings: usize,
    #[serde(default)]
    step: Vec<Step>,
}

fn plain() -> String {
    "plain".to_owned()
}

/// The files of the suite, apart from `rules.toml` and `given.toml`.
const TOPICS: [(&str, &str); 12] = [
    ("path", include_str!("../scenarios/path.toml")),
    ("method", include_str!("../scenarios/method.toml")),
    ("healthy", include_str!("../scenarios/healthy.toml")),
    ("maintenance", include_str!("../scenarios/maintenance.toml")),
    ("query", include_str!("../scenarios/query.toml")),
    ("verdict", include_str!("../scenarios/verdict.toml")),
    ("subscriber", include_str!("../scenarios/subscriber.toml")),
    ("log", include_str!("../scenarios/log.toml")),
    ("header", include_str!("../scenarios/header.toml")),
    ("reason", include_str!("../scenarios/reason.toml")),
    ("setting", include_str!("../scenarios/setting.toml")),
    ("panic", include_str!("../scenarios/panic.toml")),
];

impl Suite {
    /// The scenarios that prove `docs/contract.md`.
    ///
    /// # Errors
    ///
    /// None, as long as this crate's tests pass.
    pub fn builtin() -> Result<Self, LoadError> {
        Self::load(
            include_str!("../scenarios/rules.toml"),
            include_str!("../scenarios/given.toml"),
            &TOPICS,
        )
    }

    /// The scenarios, in the order they run.
    pub fn scenarios(&self) -> impl Iterator<Item = &Scenario> {
        self.scenarios.iter()
    }

    /// The rules of the contract.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// The scenarios whose id matches `pattern`; `*` stands for any text.
    pub fn matching<'a>(&'a self, pattern: &str) -> impl Iterator<Item = &'a Scenario> + use<'a> {
        let pattern = WildMatch::new(pattern);
        self.scenarios()
            .filter(move |scenario| pattern.matches(&scenario.id))
    }

    /// Reads scenario files: pairs of a topic, which is the file's name without its ending, and TOML.
    ///
    /// # Errors
    ///
    /// The first file that breaks the format, cites a rule or a server that does not exist, or uses an
    /// id again.
    pub fn load(rules: &str, given: &str, topics: &[(&str, &str)]) -> Result<Self, LoadError> {
        let rules = parse::<RuleFile>("rules", rules)?.rule;
        let given = parse::<BTreeMap<String, Given>>("given", given)?;
        let mut ids = BTreeSet::new();
        let mut scenarios: Vec<Scenario> = Vec::new();
        for (topic, text) in topics {
            for written in parse::<ScenarioFile>(topic, text)?.scenario {
                let id = written.id.clone();
                let problem = |problem: String| LoadError {
                    file: format!("{topic}.toml"),
                    problem: format!("scenario {id:?}: {problem}"),
                };
                if !id.starts_with(&format!("{topic}/")) {
                    return Err(problem(format!("the id must start with \"{topic}/\"")));
                }
                if !ids.insert(id.clone()) {
                    return Err(problem("the id is used before".to_owned()));
                }
                if !rules.iter().any(|rule| rule.id == written.rule) {
                    return Err(problem(format!("there is no rule {:?}", written.rule)));
                }
                let scenario = written.check(&given).map_err(problem)?;
                if let Some(same) = scenarios.iter().find(|other| other.does_as(&scenario)) {
                    return Err(problem(format!("it does the same as {:?}", same.id)));
                }
                scenarios.push(scenario);
            }
        }
        Ok(Self { rules, scenarios })
    }
}

fn parse<T: for<'de> Deserialize<'de>>(file: &str, text: &str) -> Result<T, LoadError> {
    toml::from_str(text).map_err(|error| LoadError {
        file: format!("{file}.toml"),
        problem: error.to_string(),
    })
}

impl Written {
    fn check(self, servers: &BTreeMap<String, Given>) -> Result<Scenario, String> {
        let mut given = servers
            .get(&self.given)
            .ok_or_else(|| format!("there is no server {:?} in given.toml", self.given))?
            .clone();
        given.settings.extend(self.settings.clone());

        if self.step.is_empty() && self.start == Start::Ready && self.start_warnings == 0 {
            return Err("it has no step".to_owned());
        }
        if self.start == Start::Refused && !self.step.is_empty() {
            return Err("a server that is refused its settings answers no step".to_owned());
        }
        if self.start == Start::Refused && self.settings.len() != 1 {
            return Err("a refusal is about one setting of the scenario's own".to_owned());
        }
        // A marker anywhere else would put a real service into maintenance.
        let disablefile = given.settings.get("healthcheck.disablefile");
        let depth = disablefile.and_then(|path| depth_in_fresh_directory(path));
        for marker in self.step.iter().filter_map(|step| step.marker) {
            if depth.is_none_or(|depth| depth < marker.depth()) {
                let depth = marker.depth();
                return Err(format!(
                    "marker {marker:?} needs a healthcheck.disablefile {depth} deep in {{dir}}"
                ));
            }
        }
        if self.step.iter().any(|step| step.times == 0) {
            return Err("a step that is done 0 times shows nothing".to_owned());
        }
        Ok(Scenario {
            id: self.id,
            rule: self.rule,
            says: self.says,
            given,
            settings: self.settings,
            start: self.start,
            start_warnings: self.start_warnings,
            steps: self.step,
        })
    }
}

/// How many names deep `path` lies in `{dir}`; `None` when it may lead out of it.
fn depth_in_fresh_directory(path: &str) -> Option<usize> {
    let names: Vec<_> = path.strip_prefix("{dir}/")?.split('/').collect();
    let is_name = |name: &&str| !["", ".", ".."].contains(name);
    names.iter().all(is_name).then_some(names.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{Suite, TOPICS};

    const RULES: &str = r#"rule = [{ id = "H1", title = "Path", sentence = "s" }]"#;
    const GIVEN: &str = r#"[plain.settings]
        "healthcheck.disablefile" = "{dir}/maintenance""#;

    /// The problem with one scenario, over a sound one for comparison.
    fn problem(scenario: &str) -> String {
        let sound = "id='path/a'\nrule='H1'\nsays='s'\nstep=[{answer='ok'}]";
        let file = format!("[[scenario]]\n{sound}\n[[scenario]]\n{scenario}");
        let error = Suite::load(RULES, GIVEN, &[("path", &file)]).unwrap_err();
        assert!(error.to_string().starts_with("path.toml: "), "{error}");
        error.to_string()
    }

    #[test]
    fn the_suite_loads_and_cites_every_rule() {
        let suite = Suite::builtin().unwrap();
        for rule in suite.rules() {
            let cited = suite.scenarios().filter(|s| s.rule() == rule.id).count();
            assert!(cited >= 2, "{} is cited {cited} times", rule.id);
        }
    }

    #[test]
    fn every_file_of_the_scenarios_directory_is_part_of_the_suite() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let there: BTreeSet<_> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let topics = TOPICS.map(|(topic, _)| topic);
        let known = topics.into_iter().chain(["given", "rules"]);
        assert_eq!(there, known.map(str::to_owned).collect());
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let step = "step=[{answer='ok',warning=1}]";
        let problem = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\n{step}"));
        assert!(problem.contains("unknown field `warning`"), "{problem}");
    }

    #[test]
    fn an_id_used_twice_is_an_error() {
        let problem = problem("id='path/a'\nrule='H1'\nsays='s'\nstep=[{answer='ok'}]");
        assert!(problem.contains("used before"), "{problem}");
    }

    #[test]
    fn a_scenario_that_does_the_same_as_another_is_an_error() {
        let problem = problem("id='path/b'\nrule='H1'\nsays='other'\nstep=[{answer='ok'}]");
        assert!(problem.contains("the same as \"path/a\""), "{problem}");
    }

    #[test]
    fn an_id_of_another_topic_is_an_error() {
        let problem = problem("id='query/a'\nrule='H1'\nsays='s'\nstep=[{answer='ok'}]");
        assert!(problem.contains("must start with"), "{problem}");
    }

    #[test]
    fn a_rule_that_does_not_exist_is_an_error() {
        let problem = problem("id='path/b'\nrule='H99'\nsays='s'\nstep=[{answer='ok'}]");
        assert!(problem.contains("no rule \"H99\""), "{problem}");
    }

    #[test]
    fn a_server_that_does_not_exist_is_an_error() {
        let step = "given='none'\nstep=[{answer='ok'}]";
        let problem = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\n{step}"));
        assert!(problem.contains("no server \"none\""), "{problem}");
    }

    #[test]
    fn a_scenario_that_shows_nothing_is_an_error() {
        let shown = problem("id='path/b'\nrule='H1'\nsays='s'");
        assert!(shown.contains("no step"), "{shown}");
        let step = "step=[{answer='ok',times=0}]";
        let shown = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\n{step}"));
        assert!(shown.contains("0 times"), "{shown}");
        let step = "start='refused'\nsettings={a='b'}\nstep=[{answer='ok'}]";
        let shown = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\n{step}"));
        assert!(shown.contains("refused"), "{shown}");
    }

    #[test]
    fn a_marker_outside_the_fresh_directory_is_an_error() {
        for (path, marker) in [
            ("/tmp/maintenance", "file"),
            ("{dir}/../maintenance", "file"),
            ("{dir}/", "file"),
            ("{dir}/maintenance", "locked-parent"),
            ("{dir}//maintenance", "file-as-parent"),
        ] {
            let settings = format!("settings={{'healthcheck.disablefile'='{path}'}}");
            let step = format!("step=[{{marker='{marker}',answer='ok'}}]");
            let head = "id='path/b'\nrule='H1'\nsays='s'";
            let problem = problem(&format!("{head}\n{settings}\n{step}"));
            assert!(problem.contains("in {dir}"), "{path}: {problem}");
        }
    }
}
