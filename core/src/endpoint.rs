//! One endpoint, as described: its path, the checks it runs, and what it says in each state (H16).

mod presets;
mod request;
mod resolved;
mod response;
mod table;

use std::collections::BTreeSet;
use std::time::Duration;

pub(crate) use self::request::CheckMode;
pub use self::request::path_and_query;
pub(crate) use self::resolved::Resolved;
pub use self::response::HealthResponse;
use self::table::Written;
pub(crate) use self::table::{Reply, Table};
use crate::state::{Body, State};

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
/// use health_core::{Check, Endpoint, Health, State, Body};
/// # async fn ping() -> Result<(), std::io::Error> { Ok(()) }
///
/// let health = Health::builder()
///     .register(Check::new("database", ping).tag("storage"))
///     .register(Check::new("mail", ping).optional())
///     .endpoint(Endpoint::liveness("/live"))
///     .endpoint(Endpoint::readiness("/ready").tagged("storage"))
///     .endpoint(Endpoint::strict("/pager").respond_with(State::Degraded, 429, Body::Degraded))
///     .build()?;
/// assert!(health.at("/ready").is_some());
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "an endpoint does nothing until it is added to the others"]
pub struct Endpoint {
    path: String,
    selection: Selection,
    run_checks: RunChecks,
    table: Table<Written>,
    allowed_failing: Option<u16>,
    retry_after: Option<Duration>,
    is_envoys: bool,
    /// Whether it may run no dependency but those allowed by name, and show none of starting, maintenance and draining.
    is_liveness: bool,
    allowed_dependencies: BTreeSet<String>,
    /// A state that was to be ignored, and cannot be.
    cannot_ignore: Option<State>,
}

/// Which checks an endpoint runs.
#[derive(Debug, Clone)]
enum Selection {
    All,
    None,
    Chosen(Chosen),
}

/// By name or by tag: either will do.
#[derive(Debug, Clone, Default)]
struct Chosen {
    names: BTreeSet<String>,
    tags: BTreeSet<String>,
}

/// When an endpoint runs its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunChecks {
    /// For requests that ask for them: `?checks=all` (H5).
    OnRequest,
    /// For every request.
    Always,
}

impl Endpoint {
    fn new(path: impl Into<String>, table: Table<Written>) -> Self {
        Self {
            path: path.into(),
            selection: Selection::All,
            run_checks: RunChecks::OnRequest,
            table,
            allowed_failing: None,
            retry_after: None,
            is_envoys: false,
            is_liveness: false,
            allowed_dependencies: BTreeSet::new(),
            cannot_ignore: None,
        }
    }

    /// It runs no check.
    pub fn no_checks(mut self) -> Self {
        self.selection = Selection::None;
        self
    }

    /// It runs every check and subscriber.
    pub fn all_checks(mut self) -> Self {
        self.selection = Selection::All;
        self
    }

    /// It runs the checks and named subscribers of these names, and no others but those it is
    /// [given by tag](Self::tagged). The build refuses a choice that is empty: that is [`no_checks`](Self::no_checks).
    pub fn only_checks<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let mut chosen = self.chosen();
        chosen.names.extend(names.into_iter().map(Into::into));
        self.selection = Selection::Chosen(chosen);
        self
    }

    /// It runs the checks that have this [tag](crate::Check::tag), and no others but those of further tags, and
    /// those it is [given by name](Self::only_checks).
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        let mut chosen = self.chosen();
        chosen.tags.insert(tag.into());
        self.selection = Selection::Chosen(chosen);
        self
    }

    fn chosen(&self) -> Chosen {
        match &self.selection {
            Selection::Chosen(chosen) => chosen.clone(),
            Selection::All | Selection::None => Chosen::default(),
        }
    }

    /// When it runs its checks. Default: the preset's.
    pub fn run_checks(mut self, run_checks: RunChecks) -> Self {
        self.run_checks = run_checks;
        self
    }

    /// In `state` it answers `code` and responds with `body`, also where it ignored the state before. The default is that of
    /// the preset.
    ///
    /// The build refuses a code outside of H11's range, and what contradicts the state: a code but 2xx for
    /// [`State::Ok`]; `OK` for what is not; a code below 400, which pollers take for healthy, for
    /// [`State::Failing`], unless [it is allowed](Self::allow_failing_code), and for starting, maintenance and
    /// draining, but for the 299 of the original; and any of these three in a [liveness](Self::liveness) endpoint.
    pub fn respond_with(mut self, state: State, code: u16, body: Body) -> Self {
        self.table.set(state, (code, body));
        self
    }

    /// It does not show `state`, which has to be starting, maintenance or draining: it answers what it would
    /// without. It undoes an earlier [`respond_with`](Self::respond_with) of this state. The default is that of the preset.
    pub fn ignore(mut self, state: State) -> Self {
        match state {
            State::Starting => self.table.starting = None,
            State::Maintenance => self.table.maintenance = None,
            State::Draining => self.table.draining = None,
            State::Ok | State::Degraded | State::Failing => self.cannot_ignore = Some(state),
        }
        self
    }

    /// Its maintenance answers, if it shows maintenance, have a `Retry-After` of so many seconds, rounded up.
    /// Default: none.
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
    /// [internal](crate::Check::process_only): whoever polls it restarts this process when that dependency fails. A
    /// subscriber has a name by [`Check::subscriber`](crate::Check::subscriber). Other endpoints need no leave.
    pub fn allow_dependency(mut self, name: impl Into<String>) -> Self {
        self.allowed_dependencies.insert(name.into());
        self
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}
