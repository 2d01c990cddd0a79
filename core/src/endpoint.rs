//! One endpoint, as described: its path, the checks it runs, and what it says in each state (H16).

mod presets;
mod table;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::table::{Says, Table};
use self::table::{Written, checked};
use crate::build_error::BuildError;
use crate::config::{HealthConfig, url};
use crate::registered::Registered;
use crate::response::{Envoy, Extra};
use crate::state::{State, Word};

/// An endpoint beside the one of `healthcheck.url`, for a poller that wants other answers from the same checks.
/// [`HealthBuilder::endpoint`](crate::HealthBuilder::endpoint) adds it.
///
/// It starts from a preset, each of which fits pollers of one kind:
///
/// | preset | checks | ok | degraded | failing | starting | maintenance | draining |
/// |---|---|---|---|---|---|---|---|
/// | [`pyramid`](Self::pyramid) | all, on request | 200 `OK` | 200 `OK` | 503 `ERROR` | 299 `MAINTENANCE` | 299 `MAINTENANCE` | 299 `MAINTENANCE` |
/// | [`strict`](Self::strict) | all, on request | 200 `OK` | 200 `OK` | 503 `ERROR` | 503 `STARTING` | 503 `MAINTENANCE` | 503 `DRAINING` |
/// | [`liveness`](Self::liveness) | none | 200 `OK` | 200 `OK` | 503 `ERROR` | ignored | ignored | ignored |
/// | [`readiness`](Self::readiness) | all, always | 200 `OK` | 200 `OK` | 503 `ERROR` | 503 `STARTING` | 503 `MAINTENANCE` | 503 `DRAINING` |
/// | [`startup`](Self::startup) | all, always | 200 `OK` | 200 `OK` | 503 `ERROR` | 503 `STARTING` | ignored | ignored |
/// | [`haproxy_404`](Self::haproxy_404) | all, on request | 200 `OK` | 200 `OK` | 503 `ERROR` | 404 `STARTING` | 404 `MAINTENANCE` | 404 `DRAINING` |
/// | [`consul`](Self::consul) | all, always | 200 `OK` | 429 `DEGRADED` | 503 `ERROR` | 503 `STARTING` | 503 `MAINTENANCE` | 503 `DRAINING` |
/// | [`nagios`](Self::nagios) | all, always | 200 `OK` | 429 `DEGRADED` | 503 `ERROR` | 429 `STARTING` | 429 `MAINTENANCE` | 429 `DRAINING` |
/// | [`envoy`](Self::envoy) | all, always | 200 `OK` | 200 `OK` | 503 `ERROR` | 503 `STARTING` | 503 `MAINTENANCE` | 503 `DRAINING` |
///
/// Where several states hold, the gravest that the endpoint does not ignore counts. In a starting, maintenance or
/// draining that it does not ignore, it runs no check.
///
/// ```
/// use health_core::{Check, Endpoint, Health, State, Word};
/// # async fn ping() -> Result<(), std::io::Error> { Ok(()) }
///
/// let health = Health::builder()
///     .add(Check::new("database", ping).tag("storage"))
///     .add(Check::new("mail", ping).optional())
///     .endpoint(Endpoint::liveness("/live"))
///     .endpoint(Endpoint::readiness("/ready").tagged("storage"))
///     .endpoint(Endpoint::strict("/pager").says(State::Degraded, 429, Word::Degraded))
///     .build()?;
/// assert!(health.at("/ready").is_some());
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "an endpoint does nothing until it is added to the others"]
pub struct Endpoint {
    path: String,
    /// `None` for all checks.
    selection: Option<Selection>,
    when: When,
    table: Table<Written>,
    allowed_failing: Option<u16>,
    retry_after: Option<Duration>,
    is_envoys: bool,
    /// The names of dependencies it may run all the same, where it may run none.
    dependencies: Option<BTreeSet<String>>,
    /// A state that was to be ignored, and cannot be.
    cannot_ignore: Option<State>,
}

/// Which checks an endpoint runs, where it does not run all.
#[derive(Debug, Clone, Default)]
struct Selection {
    names: BTreeSet<String>,
    tags: BTreeSet<String>,
}

/// When an endpoint runs its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// With `?checks=all` (H5).
    OnRequest,
    /// For every request.
    Always,
}

impl Endpoint {
    fn new(path: impl Into<String>, table: Table<Written>) -> Self {
        Self {
            path: path.into(),
            selection: None,
            when: When::OnRequest,
            table,
            allowed_failing: None,
            retry_after: None,
            is_envoys: false,
            dependencies: None,
            cannot_ignore: None,
        }
    }

    /// It runs no check.
    pub fn no_checks(mut self) -> Self {
        self.selection = Some(Selection::default());
        self
    }

    /// It runs every check and subscriber.
    pub fn all_checks(mut self) -> Self {
        self.selection = None;
        self
    }

    /// It runs the checks and named subscribers of these names, and no others but those it is
    /// [given by tag](Self::tagged).
    pub fn only_checks<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let chosen = self.selection.get_or_insert_default();
        chosen.names.extend(names.into_iter().map(Into::into));
        self
    }

    /// It runs the checks that have this [tag](crate::Check::tag), and no others but those of further tags, and
    /// those it is [given by name](Self::only_checks).
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        let chosen = self.selection.get_or_insert_default();
        chosen.tags.insert(tag.into());
        self
    }

    /// It runs its checks for requests that ask for them: `?checks=all` (H5).
    pub fn on_request(mut self) -> Self {
        self.when = When::OnRequest;
        self
    }

    /// It runs its checks for every request.
    pub fn always(mut self) -> Self {
        self.when = When::Always;
        self
    }

    /// In `state` it answers `code` and says `word`. The default is that of the preset.
    ///
    /// The build refuses a code outside of H11's range, and what contradicts the state: a code but 2xx for
    /// [`State::Ok`], `OK` for what is not, 200 for starting, maintenance or draining, and for
    /// [`State::Failing`] a code below 400, unless [it is allowed](Self::allow_failing_code).
    pub fn says(mut self, state: State, code: u16, word: Word) -> Self {
        self.table.set(state, (code, word));
        self
    }

    /// It does not show `state`, which has to be starting, maintenance or draining: it answers what it would
    /// without. The default is that of the preset.
    pub fn ignores(mut self, state: State) -> Self {
        match state {
            State::Starting => self.table.starting = None,
            State::Maintenance => self.table.maintenance = None,
            State::Draining => self.table.draining = None,
            State::Ok | State::Degraded | State::Failing => self.cannot_ignore = Some(state),
        }
        self
    }

    /// Its maintenance answers have a `Retry-After` of so many seconds, rounded up. Default: none.
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// It answers `code` when it is failing, although pollers take a code below 400 for healthy.
    pub fn allow_failing_code(mut self, code: u16) -> Self {
        self.table.failing.0 = code;
        self.allowed_failing = Some(code);
        self
    }

    /// A [liveness](Self::liveness) endpoint may run the check of this name, although it is not
    /// [internal](crate::Check::internal): whoever polls it restarts this process when that dependency fails.
    pub fn allow_dependency(mut self, name: impl Into<String>) -> Self {
        if let Some(dependencies) = &mut self.dependencies {
            dependencies.insert(name.into());
        }
        self
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Checks the description against the checks there are.
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
            let (code, word) = checked(&self.path, state, written, self.allowed_failing)?;
            let extra = self.extra(state);
            Ok::<_, BuildError>(Says { code, word, extra })
        })?;
        let checks = self.select(checks)?;
        Ok(Resolved {
            path: self.path,
            checks,
            when: self.when,
            table,
        })
    }

    fn extra(&self, state: State) -> Extra {
        let seconds = |time: Duration| time.as_secs() + u64::from(time.subsec_nanos() > 0);
        Extra {
            retry_after: self
                .retry_after
                .filter(|_| state == State::Maintenance)
                .map(seconds),
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
        let path = || self.path.clone();
        let selected = self.selection.iter();
        let allowed = self.dependencies.iter().flatten();
        let mut names = selected
            .clone()
            .flat_map(|chosen| &chosen.names)
            .chain(allowed);
        if let Some(name) = names.find(|name| !checks.iter().any(|check| check.is_named(name))) {
            let (path, name) = (path(), name.clone());
            return Err(BuildError::UnknownCheck { path, name });
        }
        let mut tags = selected.flat_map(|chosen| &chosen.tags);
        if let Some(tag) = tags.find(|tag| !checks.iter().any(|check| check.tags.contains(*tag))) {
            let (path, tag) = (path(), tag.clone());
            return Err(BuildError::UnknownTag { path, tag });
        }
        let is_chosen = |check: &Registered| match &self.selection {
            None => true,
            Some(Selection { names, tags }) => {
                names.iter().any(|name| check.is_named(name)) || !check.tags.is_disjoint(tags)
            }
        };
        let chosen = checks.iter().enumerate();
        let chosen: Vec<_> = chosen.filter(|(_, check)| is_chosen(check)).collect();
        if let Some(allowed) = &self.dependencies {
            let is_allowed =
                |check: &Registered| check.is_internal || allowed.contains(&check.name);
            if let Some((_, check)) = chosen.iter().find(|(_, check)| !is_allowed(check)) {
                let (path, name) = (path(), check.name.clone());
                return Err(BuildError::DependencyInLiveness { path, name });
            }
        }
        Ok(chosen.into_iter().map(|(number, _)| number).collect())
    }
}

/// An endpoint that was checked.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) path: String,
    /// The numbers of the checks it runs.
    pub(crate) checks: Arc<[usize]>,
    pub(crate) when: When,
    pub(crate) table: Table<Says>,
}

impl Resolved {
    /// The endpoint that the settings describe: whatever codes H11 allows are its own.
    pub(crate) fn of_settings(config: &HealthConfig, checks: usize) -> Self {
        let says = |code, word| {
            let extra = Extra::default();
            Says { code, word, extra }
        };
        let ok = says(http::StatusCode::OK, Word::Ok);
        let maintenance = Some(says(config.maintenance_code(), Word::Maintenance));
        Self {
            path: config.url().to_owned(),
            checks: (0..checks).collect(),
            when: When::OnRequest,
            table: Table {
                ok,
                degraded: ok,
                failing: says(config.failure_code(), Word::Error),
                starting: maintenance,
                maintenance,
                draining: maintenance,
            },
        }
    }
}
