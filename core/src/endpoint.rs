//! The description of an endpoint: its path, its checks, and its response in each state (H16).

mod check_paths;
#[cfg(feature = "metrics")]
mod metrics;
mod presets;
mod recovery;
mod replies;
mod request;
mod resolved;
mod response;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::StatusCode;

pub(crate) use self::replies::Replies;
pub use self::request::{HealthRequest, path_and_query};
pub(crate) use self::request::{Poller, asks_for_checks};
pub(crate) use self::resolved::ResolvedEndpoint;
pub use self::response::HealthResponse;
pub(crate) use self::response::Reply;
use crate::check::Criticality;
pub use crate::config::RunChecks;
#[cfg(feature = "details")]
use crate::details::{BearerTokens, DetailLevel, EndpointDetails};
use crate::state::{Body, State};

/// An endpoint besides the one of `healthcheck.url`, for a poller that needs other responses.
/// [`HealthBuilder::endpoint`](crate::HealthBuilder::endpoint) takes it.
///
/// An endpoint starts as a preset; each preset fits one kind of poller:
///
/// | preset | checks | ok | degraded | failing | starting | maintenance | draining | shared check fails |
/// |---|---|---|---|---|---|---|---|---|
/// | [`pyramid`](Self::pyramid) | all, on request | 200 `OK` | 200 `OK` | 503 `ERROR` | 299 `MAINTENANCE` | 299 `MAINTENANCE` | 299 `MAINTENANCE` | degraded |
/// | [`strict`](Self::strict) | all, on request | 200 `OK` | 200 `OK` | 503 `ERROR` | 503 `STARTING` | 503 `MAINTENANCE` | 503 `DRAINING` | degraded |
/// | [`liveness`](Self::liveness) | none | 200 `OK` | 200 `OK` | 503 `ERROR` | ignored | ignored | ignored | degraded |
/// | [`readiness`](Self::readiness) | all, always | 200 `OK` | 200 `OK` | 503 `ERROR` | 503 `STARTING` | 503 `MAINTENANCE` | 503 `DRAINING` | degraded |
/// | [`startup`](Self::startup) | all, always | 200 `OK` | 200 `OK` | 503 `ERROR` | 503 `STARTING` | ignored | ignored | degraded |
/// | [`haproxy_404`](Self::haproxy_404) | all, on request | 200 `OK` | 200 `OK` | 503 `ERROR` | 404 `STARTING` | 404 `MAINTENANCE` | 404 `DRAINING` | degraded |
/// | [`consul`](Self::consul) | all, always | 200 `OK` | 429 `DEGRADED` | 503 `ERROR` | 503 `STARTING` | 503 `MAINTENANCE` | 503 `DRAINING` | degraded |
/// | [`nagios`](Self::nagios) | all, always | 200 `OK` | 429 `DEGRADED` | 503 `ERROR` | 429 `STARTING` | 429 `MAINTENANCE` | 429 `DRAINING` | failing |
/// | [`envoy`](Self::envoy) | all, always | 200 `OK` | 200 `OK` | 503 `ERROR` | 503 `STARTING` | 503 `MAINTENANCE` | 503 `DRAINING` | degraded |
///
/// [`Endpoint::metrics`](Self::metrics) (feature `metrics`) is for Prometheus.
///
/// The last column is the state if a [shared](crate::Check::shared) check fails after its first success.
///
/// If several states apply, the gravest wins; an endpoint does not evaluate states it ignores. While it shows starting,
/// maintenance or draining, it runs no check.
///
/// ```
/// use health_core::{Body, Check, Endpoint, Health, State, StatusCode};
/// # async fn ping() -> Result<(), std::io::Error> { Ok(()) }
///
/// let health = Health::builder()
///     .register(Check::new("database", ping).tag("storage"))
///     .register(Check::new("mail", ping).optional())
///     .endpoint(Endpoint::liveness("/live"))
///     .endpoint(Endpoint::readiness("/ready").tagged("storage"))
///     .endpoint(
///         Endpoint::strict("/pager")
///             .respond_with(State::Degraded, StatusCode::TOO_MANY_REQUESTS, Body::Degraded),
///     )
///     .build()?;
/// assert!(health.at("/ready").is_some());
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "an endpoint does nothing until it is added to a builder"]
pub struct Endpoint {
    path: String,
    /// The preset's.
    default_selection: Selection,
    selection: Option<Selection>,
    has_contradicting_choices: bool,
    run_checks: RunChecks,
    replies: Replies,
    allowed_failing: Option<StatusCode>,
    retry_after: Option<Duration>,
    recovery_delay: Option<Duration>,
    has_check_paths: bool,
    is_envoy: bool,
    /// Whether it must run no check of a dependency that is not allowed by name, and must ignore starting, maintenance
    /// and draining.
    is_liveness: bool,
    allowed_dependencies: BTreeSet<String>,
    purpose: Purpose,
    /// The checks whose own criticality does not apply.
    criticalities: BTreeMap<String, Criticality>,
    /// A check that was called both required and optional.
    contradicting_criticality: Option<String>,
    #[cfg(feature = "details")]
    details: EndpointDetails,
    /// A state that the description ignores although it must be shown.
    cannot_ignore: Option<State>,
}

/// What the pollers of an endpoint do with its responses. It decides how a failure of a
/// [shared](crate::Check::shared) check counts ([H22](crate::contract#h22)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// They send requests to this host or to others. A shared check that fails is no reason to leave it out, because
    /// the others fail, too: the state is degraded.
    SteersTraffic,
    /// They inform people. A shared check that fails makes the state failing.
    AlertsPeople,
}

/// The checks that an endpoint runs.
#[derive(Debug, Clone)]
enum Selection {
    All,
    None,
    Only(Choice),
}

/// The checks with one of these names or one of these tags.
#[derive(Debug, Clone, Default)]
struct Choice {
    names: BTreeSet<String>,
    tags: BTreeSet<String>,
}

impl Endpoint {
    fn new(path: impl Into<String>, purpose: Purpose, replies: Replies) -> Self {
        Self {
            path: path.into(),
            default_selection: Selection::All,
            selection: None,
            has_contradicting_choices: false,
            run_checks: RunChecks::OnRequest,
            replies,
            allowed_failing: None,
            retry_after: None,
            recovery_delay: None,
            has_check_paths: false,
            is_envoy: false,
            is_liveness: false,
            allowed_dependencies: BTreeSet::new(),
            purpose,
            criticalities: BTreeMap::new(),
            contradicting_criticality: None,
            #[cfg(feature = "details")]
            details: EndpointDetails::default(),
            cannot_ignore: None,
        }
    }

    /// The endpoint runs no check. A contradicting choice is an error when the endpoints are built.
    pub fn no_checks(self) -> Self {
        self.choose(Selection::None)
    }

    /// The endpoint runs every check. A contradicting choice is an error when the endpoints are built.
    pub fn all_checks(self) -> Self {
        self.choose(Selection::All)
    }

    /// The endpoint runs the checks with these names, and those chosen [by tag](Self::tagged). An empty choice is an
    /// error when the endpoints are built: use [`no_checks`](Self::no_checks).
    pub fn only_checks<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        self.choose(Selection::Only(Choice {
            names: names.into_iter().map(Into::into).collect(),
            tags: BTreeSet::new(),
        }))
    }

    /// The endpoint runs the checks with this [tag](crate::Check::tag), those with further tags it is given, and those
    /// chosen [by name](Self::only_checks).
    pub fn tagged(self, tag: impl Into<String>) -> Self {
        self.choose(Selection::Only(Choice {
            names: BTreeSet::new(),
            tags: BTreeSet::from([tag.into()]),
        }))
    }

    fn choose(mut self, selection: Selection) -> Self {
        match (&mut self.selection, selection) {
            (Some(Selection::Only(choice)), Selection::Only(more)) => {
                choice.names.extend(more.names);
                choice.tags.extend(more.tags);
            }
            (Some(Selection::All), Selection::All) | (Some(Selection::None), Selection::None) => {}
            (Some(_), _) => self.has_contradicting_choices = true,
            (None, selection) => self.selection = Some(selection),
        }
        self
    }

    /// When the endpoint runs its checks. Default: the preset's.
    pub fn run_checks(mut self, run_checks: RunChecks) -> Self {
        self.run_checks = run_checks;
        self
    }

    /// The endpoint responds with `status` and `body` in `state`, even if it ignored the state before. Default: the
    /// preset's.
    ///
    /// These are errors when the endpoints are built: a status outside 200 to 599, or 204, 205 or 304; a status other
    /// than 2xx for [`State::Ok`]; the body `OK` for a state that is not; a status below 400, which pollers regard as
    /// healthy, for [`State::Failing`], unless it is [allowed](Self::allow_failing_code), or for starting, maintenance
    /// and draining, except the 299 of the original; any of these three in a [liveness](Self::liveness) endpoint.
    pub fn respond_with(mut self, state: State, status: StatusCode, body: Body) -> Self {
        self.replies.set(state, Reply::new(status, body));
        self
    }

    /// The endpoint ignores `state`, which must be starting, maintenance or draining. It undoes an earlier
    /// [`respond_with`](Self::respond_with) for the state. Default: the preset's.
    pub fn ignore(mut self, state: State) -> Self {
        match state {
            State::Starting => self.replies.starting = None,
            State::Maintenance => self.replies.maintenance = None,
            State::Draining => self.replies.draining = None,
            State::Ok | State::Degraded | State::Failing => self.cannot_ignore = Some(state),
        }
        self
    }

    /// Maintenance responses have a `Retry-After` of this time in whole seconds, rounded up. Default: none.
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// The endpoint responds with `status` when it is failing, although pollers regard a status below 400 as healthy. A
    /// later [`respond_with`](Self::respond_with) with another status is an error when the endpoints are built.
    pub fn allow_failing_code(mut self, status: StatusCode) -> Self {
        self.replies.failing.status = status;
        self.allowed_failing = Some(status);
        self
    }

    /// Allows a [liveness](Self::liveness) endpoint to run the check of this name although it is not
    /// [`process_only`](crate::Check::process_only): the orchestrator then restarts this process when that dependency
    /// fails. It does not [choose](Self::only_checks) the check. On other endpoints, and for a check that the endpoint
    /// does not run, the call is an error when the endpoints are built.
    pub fn allow_dependency(mut self, name: impl Into<String>) -> Self {
        self.allowed_dependencies.insert(name.into());
        self
    }

    /// The endpoint counts the failures of [shared](crate::Check::shared) checks for this purpose. Default: the
    /// preset's; only [`nagios`](Self::nagios) alerts people.
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// On this endpoint, the check of this name is required, even if it is [`optional`](crate::Check::optional)
    /// ([H13](crate::contract#h13)): mail may matter to a pager and not to a kubelet. For a check that the endpoint
    /// does not run, and together with [`optional_check`](Self::optional_check), the call is an error when the
    /// endpoints are built.
    pub fn required_check(self, name: impl Into<String>) -> Self {
        self.criticality(name.into(), Criticality::Required)
    }

    /// On this endpoint, the check of this name is optional: its failure makes the state degraded
    /// ([H13](crate::contract#h13)). For a check that the endpoint does not run, and together with
    /// [`required_check`](Self::required_check), the call is an error when the endpoints are built.
    pub fn optional_check(self, name: impl Into<String>) -> Self {
        self.criticality(name.into(), Criticality::Optional)
    }

    /// Shows this much to every reader, in the format that the request asks for ([H29](crate::contract#h29),
    /// [H31](crate::contract#h31)). A request that asks for none, as those of load balancers do, still gets the word, and the
    /// status code is the same in every format. Default: [`DetailLevel::None`].
    #[cfg(feature = "details")]
    pub fn details(mut self, level: DetailLevel) -> Self {
        self.details.level = level;
        self
    }

    /// Shows everything to readers with one of these tokens. Other readers see the level of
    /// [`details`](Self::details), and do not learn whether there are tokens ([H30](crate::contract#h30)). Default: no token.
    #[cfg(feature = "details")]
    pub fn full_details_for(mut self, tokens: &BearerTokens) -> Self {
        self.details.tokens = Some(tokens.clone());
        self
    }

    fn criticality(mut self, name: String, criticality: Criticality) -> Self {
        let former = self.criticalities.insert(name.clone(), criticality);
        if former.is_some_and(|former| former != criticality) {
            self.contradicting_criticality = Some(name);
        }
        self
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}
