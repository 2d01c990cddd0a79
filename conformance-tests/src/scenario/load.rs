//! Parses scenario files.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::validate::{
    check_answer, check_drain, check_endpoints, check_latches, check_markers, check_messages,
    check_names, check_needs, check_peers, check_periods, check_results, check_step,
};
use super::{Level, Scenario, Start, Step, Suite};
use crate::scenario::capability::Capability;
use crate::scenario::rule::Rule;
use crate::setup::{Check, Setup};

/// An error in a scenario file, with the place.
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

/// A scenario as written in its file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    rule: String,
    #[serde(default)]
    level: Level,
    title: String,
    why: Option<String>,
    #[serde(default)]
    needs: Vec<Capability>,
    #[serde(default = "plain")]
    setup: String,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    start: Start,
    #[serde(default)]
    start_warnings: usize,
    #[serde(default)]
    start_checks: usize,
    #[serde(default)]
    step: Vec<Step>,
}

fn plain() -> String {
    "plain".to_owned()
}

/// The files of the suite, apart from `rules.toml` and `setups.toml`.
pub(super) const TOPICS: [(&str, &str); 35] = [
    ("path", include_str!("../../scenarios/path.toml")),
    ("method", include_str!("../../scenarios/method.toml")),
    ("target", include_str!("../../scenarios/target.toml")),
    ("healthy", include_str!("../../scenarios/healthy.toml")),
    ("maintenance", include_str!("../../scenarios/maintenance.toml")),
    ("query", include_str!("../../scenarios/query.toml")),
    ("verdict", include_str!("../../scenarios/verdict.toml")),
    ("subscriber", include_str!("../../scenarios/subscriber.toml")),
    ("log", include_str!("../../scenarios/log.toml")),
    ("header", include_str!("../../scenarios/header.toml")),
    ("reason", include_str!("../../scenarios/reason.toml")),
    ("setting", include_str!("../../scenarios/setting.toml")),
    ("panic", include_str!("../../scenarios/panic.toml")),
    ("timeout", include_str!("../../scenarios/timeout.toml")),
    ("blocking", include_str!("../../scenarios/blocking.toml")),
    ("shared", include_str!("../../scenarios/shared.toml")),
    ("optional", include_str!("../../scenarios/optional.toml")),
    ("background", include_str!("../../scenarios/background.toml")),
    ("threshold", include_str!("../../scenarios/threshold.toml")),
    ("dependency", include_str!("../../scenarios/dependency.toml")),
    ("peers", include_str!("../../scenarios/peers.toml")),
    ("result", include_str!("../../scenarios/result.toml")),
    ("recovery", include_str!("../../scenarios/recovery.toml")),
    ("details", include_str!("../../scenarios/details.toml")),
    ("token", include_str!("../../scenarios/token.toml")),
    ("check-path", include_str!("../../scenarios/check-path.toml")),
    ("endpoint", include_str!("../../scenarios/endpoint.toml")),
    ("state", include_str!("../../scenarios/state.toml")),
    ("startup", include_str!("../../scenarios/startup.toml")),
    ("source", include_str!("../../scenarios/source.toml")),
    ("drain", include_str!("../../scenarios/drain.toml")),
    ("connection", include_str!("../../scenarios/connection.toml")),
    ("drain-end", include_str!("../../scenarios/drain-end.toml")),
    ("log-policy", include_str!("../../scenarios/log-policy.toml")),
    ("wire", include_str!("../../scenarios/wire.toml")),
];

impl Suite {
    /// The scenarios for `docs/contract.md`.
    ///
    /// # Errors
    ///
    /// Never, as long as the tests of this crate pass.
    pub fn builtin() -> Result<Self, LoadError> {
        Self::load(
            include_str!("../../scenarios/rules.toml"),
            include_str!("../../scenarios/setups.toml"),
            &TOPICS,
        )
    }

    /// Parses scenario files: pairs of a topic, which is the name of the file without its extension, and TOML.
    ///
    /// # Errors
    ///
    /// The first file that breaks the format, cites an unknown rule or setup, or uses an id twice.
    pub fn load(rules: &str, setup: &str, topics: &[(&str, &str)]) -> Result<Self, LoadError> {
        let rules = parse::<RuleFile>("rules", rules)?.rule;
        let setup = parse::<BTreeMap<String, Setup>>("setups", setup)?;
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
                    return Err(problem("the id is not unique".to_owned()));
                }
                if !rules.iter().any(|rule| rule.id == written.rule) {
                    return Err(problem(format!("there is no rule {:?}", written.rule)));
                }
                let scenario = written.check(&setup).map_err(problem)?;
                if let Some(same) = scenarios.iter().find(|other| other.does_as(&scenario)) {
                    return Err(problem(format!(
                        "it has the same setup and steps as {:?}",
                        same.id
                    )));
                }
                scenarios.push(scenario);
            }
        }
        Ok(Self { rules, scenarios })
    }
}

fn parse<T: for<'de> Deserialize<'de>>(file: &str, text: &str) -> Result<T, LoadError> {
    toml::from_str(text)
        .map_err(|error| LoadError { file: format!("{file}.toml"), problem: error.to_string() })
}

impl Written {
    fn check(self, servers: &BTreeMap<String, Setup>) -> Result<Scenario, String> {
        let mut setup = servers
            .get(&self.setup)
            .ok_or_else(|| format!("there is no setup {:?} in setups.toml", self.setup))?
            .clone();
        setup.settings.extend(self.settings.clone());

        let start_shows = self.start_warnings > 0 || self.start_checks > 0;
        if self.step.is_empty() && self.start == Start::Ready && !start_shows {
            return Err("there are no steps".to_owned());
        }
        if self.start == Start::Refused && !self.step.is_empty() {
            return Err("a scenario with start = \"refused\" cannot have steps".to_owned());
        }
        if self.start == Start::Refused && self.settings.len() != 1 {
            return Err("a scenario with start = \"refused\" needs exactly one setting".to_owned());
        }
        check_endpoints(&setup)?;
        check_names(&setup)?;
        check_messages(&setup)?;
        check_periods(&setup)?;
        if self.start_warnings > 0 && !self.needs.contains(&Capability::Log) {
            return Err("start_warnings needs the capability \"log\"".to_owned());
        }
        if self.start_checks > 0 && !self.needs.contains(&Capability::Checks) {
            return Err("start_checks needs the capability \"checks\"".to_owned());
        }
        if self.start_checks > 0 && !setup.checks.iter().any(Check::is_in_background) {
            return Err("start_checks needs a background check".to_owned());
        }
        let scenario = Scenario {
            id: self.id,
            rule: self.rule,
            level: self.level,
            title: self.title,
            why: self.why,
            needs: self.needs,
            setup,
            settings: self.settings,
            start: self.start,
            start_warnings: self.start_warnings,
            start_checks: self.start_checks,
            steps: self.step,
        };
        check_needs(&scenario)?;
        check_latches(&scenario)?;
        check_peers(&scenario)?;
        check_drain(&scenario)?;
        check_markers(&scenario)?;
        for step in &scenario.steps {
            check_step(step)?;
            check_answer(step, &scenario.setup)?;
            check_results(step, &scenario.setup)?;
        }
        Ok(scenario)
    }
}
