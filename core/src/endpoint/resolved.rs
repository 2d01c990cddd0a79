//! An endpoint that was checked against the checks there are, and against itself (H16).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::response::{Envoy, Extra};
use super::table::checked;
use super::{Endpoint, Reply, RunChecks, Selection, Table};
use crate::config::{HealthConfig, url};
use crate::error::BuildError;
use crate::run::Registered;
use crate::state::{Body, State};

/// See the [module's doc](self).
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) path: String,
    /// The numbers of the checks it runs.
    pub(crate) checks: Arc<[usize]>,
    pub(crate) run_checks: RunChecks,
    pub(crate) table: Table<Reply>,
}

impl Resolved {
    /// The endpoint that the settings describe: whatever codes H11 allows are its own.
    pub(crate) fn of_settings(config: &HealthConfig, checks: usize) -> Self {
        let says = |code, word| {
            let extra = Extra::default();
            Reply { code, word, extra }
        };
        let ok = says(StatusCode::OK, Body::Ok);
        let maintenance = Some(says(config.maintenance_code(), Body::Maintenance));
        Self {
            path: config.url().to_owned(),
            checks: (0..checks).collect(),
            run_checks: RunChecks::OnRequest,
            table: Table {
                ok,
                degraded: ok,
                failing: says(config.failure_code(), Body::Error),
                starting: maintenance,
                maintenance,
                draining: maintenance,
            },
        }
    }
}

impl Endpoint {
    /// Checks the description.
    pub(crate) fn resolve(self, checks: &[Arc<Registered>]) -> Result<Resolved, BuildError> {
        url(&self.path).map_err(|rule| BuildError::EndpointPath {
            path: self.path.clone(),
            rule,
        })?;
        if let Some(state) = self.cannot_ignore {
            let path = self.path;
            return Err(BuildError::IgnoredState { path, state });
        }
        let table = self.table.try_map(|state, written| {
            let (code, word) = checked(&self, state, written)?;
            let extra = self.extra(state);
            Ok::<_, BuildError>(Reply { code, word, extra })
        })?;
        let checks = self.select(checks)?;
        Ok(Resolved {
            path: self.path,
            checks,
            run_checks: self.run_checks,
            table,
        })
    }

    fn extra(&self, state: State) -> Extra {
        let seconds = |time: Duration| {
            let part = u64::from(time.subsec_nanos() > 0);
            time.as_secs().saturating_add(part)
        };
        let retry_after = self.retry_after.map(seconds);
        Extra {
            retry_after: retry_after.filter(|_| state == State::Maintenance),
            envoy: match state {
                _ if !self.is_envoys => None,
                State::Degraded => Some(Envoy::Degraded),
                State::Maintenance | State::Draining => Some(Envoy::ImmediateFail),
                State::Ok | State::Failing | State::Starting => None,
            },
        }
    }

    /// The numbers of the checks it runs.
    fn select(&self, checks: &[Arc<Registered>]) -> Result<Arc<[usize]>, BuildError> {
        self.refuse_unknown(checks)?;
        let is_chosen = |check: &Registered| match &self.selection {
            Selection::All => true,
            Selection::None => false,
            Selection::Chosen(chosen) => {
                let mut names = chosen.names.iter();
                names.any(|name| check.is_named(name)) || !check.tags.is_disjoint(&chosen.tags)
            }
        };
        let chosen = checks.iter().enumerate();
        let chosen: Vec<_> = chosen.filter(|(_, check)| is_chosen(check)).collect();
        let is_allowed = |check: &Registered| {
            !self.is_liveness
                || check.is_process_only
                || self.allowed_dependencies.contains(&check.name)
        };
        if let Some((_, check)) = chosen.iter().find(|(_, check)| !is_allowed(check)) {
            let (path, name) = (self.path.clone(), check.name.clone());
            return Err(BuildError::DependencyInLiveness { path, name });
        }
        Ok(chosen.into_iter().map(|(number, _)| number).collect())
    }

    fn refuse_unknown(&self, checks: &[Arc<Registered>]) -> Result<(), BuildError> {
        let chosen = match &self.selection {
            Selection::All | Selection::None => None,
            Selection::Chosen(chosen) => Some(chosen),
        };
        if chosen.is_some_and(|chosen| chosen.names.is_empty() && chosen.tags.is_empty()) {
            let path = self.path.clone();
            return Err(BuildError::EmptyChoice { path });
        }
        let is_check = |name: &str| checks.iter().any(|check| check.is_named(name));
        let mut names = chosen.iter().flat_map(|chosen| &chosen.names);
        let mut allowed = self.allowed_dependencies.iter();
        let unknown = names.find(|name| !is_check(name));
        if let Some(name) = unknown.or_else(|| allowed.find(|name| !is_check(name))) {
            let (path, name) = (self.path.clone(), name.clone());
            let known = checks.iter().map(|check| check.name.clone()).collect();
            return Err(BuildError::UnknownCheck { path, name, known });
        }
        let is_tag = |tag: &str| checks.iter().any(|check| check.tags.contains(tag));
        let mut tags = chosen.iter().flat_map(|chosen| &chosen.tags);
        if let Some(tag) = tags.find(|tag| !is_tag(tag)) {
            let (path, tag) = (self.path.clone(), tag.clone());
            let known: BTreeSet<_> = checks
                .iter()
                .flat_map(|check| &check.tags)
                .cloned()
                .collect();
            let known = known.into_iter().collect();
            return Err(BuildError::UnknownTag { path, tag, known });
        }
        Ok(())
    }
}
