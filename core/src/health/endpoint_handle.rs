//! One endpoint, for an adapter to mount.

use std::future::Future;
use std::sync::atomic::Ordering;

use http::StatusCode;

use super::Health;
use crate::check::CheckInfo;
use crate::endpoint::{HealthRequest, HealthResponse, Purpose, ResolvedEndpoint, RunChecks};
use crate::flow::{Answer, ServedEndpoint, Watch};
use crate::log::LogRecord;
use crate::state::{Body, State};

/// One endpoint, for an adapter to mount at its path. Clones are cheap.
///
/// [`Health::endpoints`] lists them, for an adapter, or for a page that describes them:
///
/// ```
/// use health_core::{Endpoint, Health};
///
/// let health = Health::builder().endpoint(Endpoint::strict("/up")).build()?;
/// for endpoint in health.endpoints() {
///     println!("{}", endpoint.path());
///     for (state, status, body) in endpoint.responses() {
///         println!("  {state}: {status} {body}");
///     }
/// }
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct EndpointHandle {
    health: Health,
    pub(super) index: usize,
}

impl EndpointHandle {
    pub(crate) fn new(health: Health, index: usize) -> Self {
        health.application().is_mounted.store(true, Ordering::Relaxed);
        Self { health, index }
    }

    fn served(&self) -> &ServedEndpoint {
        &self.health.application().endpoints[self.index]
    }

    /// The check that the endpoint is for, if its path is that of a [single check](crate::Endpoint::check_paths).
    pub fn check(&self) -> Option<&CheckInfo> {
        let endpoint = &self.served().endpoint;
        let (index, _) = endpoint.checks.first().filter(|_| endpoint.is_of_check)?;
        Some(&self.health.application().engine.checks[*index].info)
    }

    /// The application that the endpoint belongs to.
    #[inline]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// The path. A request must have exactly this path ([H1](crate::contract#h1)).
    #[inline]
    pub fn path(&self) -> &str {
        &self.served().endpoint.path
    }

    /// The response for each state that the endpoint does not ignore, the least grave first.
    pub fn responses(&self) -> impl Iterator<Item = (State, StatusCode, Body)> + use<> {
        self.served()
            .endpoint
            .replies
            .iter()
            .map(|(state, reply)| (state, reply.status, reply.body))
    }

    /// For which requests the endpoint runs its checks.
    pub fn run_checks(&self) -> RunChecks {
        self.served().endpoint.run_checks
    }

    /// What the pollers of the endpoint do with its responses.
    pub fn purpose(&self) -> Purpose {
        self.served().endpoint.purpose
    }

    /// Whether each check of the endpoint has a result, or it never runs any. Before that, a [`Watch`] knows nothing of
    /// a check that runs on request only.
    pub fn has_results(&self) -> bool {
        let ResolvedEndpoint { checks, run_checks, .. } = &self.served().endpoint;
        let registered = &self.health.application().engine.checks;
        *run_checks == RunChecks::Never
            || checks.iter().all(|&(index, _)| registered[index].last_result().is_some())
    }

    /// Responds to one request, and logs what [H4](crate::contract#h4), [H8](crate::contract#h8),
    /// [H19](crate::contract#h19) and [H21](crate::contract#h21) require.
    ///
    /// `request` is a [`HealthRequest`], or only the raw query string without its `?`, which is empty without one.
    /// Dropping the future does not end a run of the checks that it has started or joined ([H7](crate::contract#h7)).
    /// Does not panic, unless the program's log subscriber does.
    #[inline]
    pub fn respond<'a>(
        &'a self,
        request: impl Into<HealthRequest<'a>>,
    ) -> impl Future<Output = HealthResponse> + Send + 'a {
        self.respond_to(request.into())
    }

    async fn respond_to(&self, request: HealthRequest<'_>) -> HealthResponse {
        let application = self.health.application();
        let log = |record: LogRecord| record.emit();
        application.respond(self.served(), request, log).await
    }

    /// Whether requests need their [client](HealthRequest::client) and [headers](HealthRequest::header): a
    /// [`Drain`](crate::Drain) may end early, or the endpoint has details. Adapters ask, so that other requests do without a look at their headers.
    #[inline]
    pub fn reads_headers(&self) -> bool {
        self.served().has_details() || self.health.application().drain.remembers_pollers()
    }

    /// Watches the state of the endpoint. It has no effect before the [`Watch`] is polled.
    pub fn watch(&self) -> Watch {
        Watch::new(self.health.application().watches.clone(), self.index)
    }

    /// Like [`respond`](Self::respond), but leaves the logging to the caller, except for warnings about checks
    /// ([`LogEvent::Check`](crate::LogEvent::Check)), which belong to no response.
    ///
    /// Do not drop the future before it is ready: a warning about the disablefile or a maintenance source, which is due
    /// once per episode, is lost with it.
    pub fn answer<'a>(
        &'a self,
        request: impl Into<HealthRequest<'a>>,
    ) -> impl Future<Output = Answer> + Send + 'a {
        self.health.application().answer(self.served(), request.into())
    }
}
