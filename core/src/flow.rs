//! How a request is processed: observe, decide, respond, record. And the watches, which follow the states without
//! requests.

#[cfg(feature = "details")]
mod details;
#[cfg(feature = "details")]
mod history;
#[cfg(feature = "metrics")]
mod metrics;
mod watch;
#[cfg(all(feature = "systemd", unix))]
mod words;

use std::ops::ControlFlow;
use std::sync::Arc;
#[cfg(feature = "details")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[cfg(feature = "details")]
pub(crate) use self::history::EndpointHistory;
pub use self::watch::Watch;
pub(crate) use self::watch::Watches;
use crate::config::HealthConfig;
use crate::decision::{Decision, Outcome, RecoveryDelay, decide};
#[cfg(feature = "metrics")]
use crate::details::EndpointCounts;
#[cfg(feature = "metrics-facade")]
use crate::details::Facade;
use crate::endpoint::{
    HealthRequest, HealthResponse, ResolvedEndpoint, RunChecks, asks_for_checks,
};
use crate::health::Phases;
use crate::lifecycle::{DrainState, Gate};
use crate::log::{LogMemory, LogPolicy, LogRecord};
use crate::maintenance::Maintenance;
use crate::run::{Dispatcher, Engine, start_background};

/// Everything that the clones of a handle share.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) config: HealthConfig,
    pub(crate) maintenance: Maintenance,
    pub(crate) gate: Gate,
    pub(crate) drain: DrainState,
    /// The time between the signal and the kill.
    pub(crate) termination_grace_period: Duration,
    pub(crate) phases: Phases,
    pub(crate) engine: Arc<Engine>,
    /// Whether the background checks are started.
    pub(crate) is_started: AtomicBool,
    /// Whether an adapter has mounted the endpoints.
    pub(crate) is_mounted: AtomicBool,
    /// The endpoint of the settings comes first.
    pub(crate) endpoints: Vec<ServedEndpoint>,
    pub(crate) log_policy: LogPolicy,
    pub(crate) watches: Arc<Watches>,
    /// The name and the version of the program.
    #[cfg(feature = "details")]
    pub(crate) service: Option<(String, String)>,
    /// The start of the background checks.
    #[cfg(feature = "details")]
    pub(crate) started_at: OnceLock<Instant>,
    /// Empty if the figures are not published.
    #[cfg(feature = "metrics-facade")]
    pub(crate) facade: OnceLock<Facade>,
    pub(crate) warnings: Vec<LogRecord>,
}

/// An endpoint with what it needs to respond.
#[derive(Debug)]
pub(crate) struct ServedEndpoint {
    pub(crate) endpoint: ResolvedEndpoint,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) recovery_delay: Option<Box<RecoveryDelay>>,
    pub(crate) log_memory: LogMemory,
    #[cfg(feature = "details")]
    pub(crate) history: EndpointHistory,
    #[cfg(feature = "metrics")]
    pub(crate) counts: EndpointCounts,
}

impl ServedEndpoint {
    /// Whether a reader can see more of it than the word.
    pub(crate) fn has_details(&self) -> bool {
        #[cfg(feature = "details")]
        return self.endpoint.details.as_ref().is_some_and(|details| !details.is_none());
        #[cfg(not(feature = "details"))]
        false
    }

    /// Whether its states are followed although no watch asks for them: it has details, or is counted.
    fn is_followed(&self) -> bool {
        #[cfg(feature = "details")]
        return self.endpoint.details.is_some() && !self.endpoint.is_of_check;
        #[cfg(not(feature = "details"))]
        false
    }

    /// The decision that follows from the outcome of its checks.
    fn checked(&self, outcome: Arc<Outcome>, now: impl FnOnce() -> Instant) -> Decision {
        match &self.recovery_delay {
            Some(delay) => delay.decide(outcome, now()),
            None => Decision::Checked(outcome),
        }
    }
}

impl Application {
    /// Starts the background checks, once.
    #[inline]
    pub(crate) fn start(&self) {
        if !self.is_started.load(Ordering::Relaxed) {
            self.start_first();
        }
    }

    #[cold]
    fn start_first(&self) {
        if !self.is_started.swap(true, Ordering::Relaxed) {
            self.engine.offer_tokio();
            #[cfg(feature = "details")]
            self.started_at.get_or_init(|| self.engine.runtime().now());
            start_background(&self.engine);
            self.watches.start(self);
        }
    }

    /// Follows the states of the endpoints again in a child of a fork, which has no task of its parent.
    fn follow_after_fork(&self) {
        if !self.watches.are_followed() {
            self.watches.start(self);
        }
    }

    /// Responds to one request. `log` gets each record as soon as it is due: a client that leaves while the checks run
    /// must not take the warnings with it.
    pub(crate) async fn respond(
        &self,
        served: &ServedEndpoint,
        request: HealthRequest<'_>,
        mut log: impl FnMut(LogRecord),
    ) -> HealthResponse {
        self.start();
        let ServedEndpoint { endpoint, dispatcher, log_memory, .. } = served;
        let observed = self.observe(endpoint, &mut log).await;
        let runs_checks = match endpoint.run_checks {
            RunChecks::Always => true,
            RunChecks::OnRequest => asks_for_checks(request.query),
            RunChecks::Never => false,
        };
        let decision = match decide(observed, runs_checks) {
            ControlFlow::Break(decision) => decision,
            // Boxed: a response without checks needs no room for a run.
            ControlFlow::Continue(permit) => {
                self.follow_after_fork();
                let outcome = Box::pin(dispatcher.outcome(permit)).await;
                served.checked(outcome, || self.engine.runtime().now())
            }
        };
        let decision =
            if self.drain.is_idle() { decision } else { self.end(endpoint, &request, decision) };
        let state = decision.state();
        let now = || self.engine.runtime().now();
        if let Some(due) =
            self.log_policy.due(state, decision.failing().as_deref(), log_memory, now)
        {
            log(decision.record().of(&endpoint.path, state, due));
        }
        // An endpoint does not observe a state that it ignores; if it did, it would fail.
        let reply = endpoint.replies.get(state);
        let response = HealthResponse::new(state, reply.unwrap_or(endpoint.replies.failing));
        #[cfg(feature = "details")]
        if let Some(details) = &endpoint.details {
            return self.detailed(served, details, &request, &decision, response);
        }
        response
    }

    /// The last look at the drain. One that began meanwhile takes precedence over what was found before it (H20).
    #[cold]
    fn end(
        &self,
        endpoint: &ResolvedEndpoint,
        request: &HealthRequest<'_>,
        decision: Decision,
    ) -> Decision {
        if endpoint.replies.draining.is_none() {
            return decision;
        }
        let is_draining = self.drain.has_begun();
        if self.drain.remembers_pollers() {
            let now = self.engine.runtime().now();
            self.drain.pollers.remember(&endpoint.path, &request.poller, now, is_draining);
        }
        if is_draining { Decision::Drain } else { decision }
    }

    /// Like [`respond`](Self::respond), but collects the records.
    pub(crate) async fn answer(
        &self,
        served: &ServedEndpoint,
        request: HealthRequest<'_>,
    ) -> Answer {
        let mut records = Vec::new();
        let response = self.respond(served, request, |record| records.push(record));
        Answer { response: response.await, records }
    }

    /// The gravest of a drain, maintenance and start that the endpoint shows (H17). States that it ignores are not
    /// evaluated.
    async fn observe(
        &self,
        endpoint: &ResolvedEndpoint,
        log: &mut impl FnMut(LogRecord),
    ) -> Option<Decision> {
        if self.shows_drain(endpoint) {
            return Some(Decision::Drain);
        }
        if endpoint.replies.maintenance.is_some() {
            let runtime = self.engine.runtime();
            if self.maintenance.observe(runtime, log).await {
                return Some(Decision::Maintain);
            }
        }
        endpoint.replies.starting?;
        self.gate.unreleased().map(Decision::Start)
    }

    fn shows_drain(&self, endpoint: &ResolvedEndpoint) -> bool {
        endpoint.replies.draining.is_some() && self.drain.has_begun()
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.engine.stopped().set(());
        self.watches.end();
        if !*self.is_started.get_mut() && !*self.is_mounted.get_mut() {
            LogRecord::never_mounted().emit();
        }
    }
}

/// The response to one request, and the records to log with it.
#[derive(Debug, Clone)]
#[must_use = "the response must be sent, and the records logged"]
pub struct Answer {
    response: HealthResponse,
    records: Vec<LogRecord>,
}

impl Answer {
    /// The response to send.
    pub fn response(&self) -> HealthResponse {
        self.response.clone()
    }

    /// The records to log, in order: a WARN about the disablefile ([H4](crate::contract#h4)) and each maintenance
    /// source ([H19](crate::contract#h19)) that begins an episode, and one record unless the response is OK
    /// ([H8](crate::contract#h8)), or as configured by the [policy](crate::LogPolicy).
    pub fn records(&self) -> impl Iterator<Item = &LogRecord> {
        self.records.iter()
    }
}
