//! Validates the description, and builds the endpoints from it.

use std::collections::HashSet;
use std::sync::Arc;
#[cfg(feature = "details")]
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::{HealthBuilder, Phase, Undebuggable, peers, settings};
#[cfg(feature = "details")]
use crate::check::References;
use crate::check::{Check, is_name};
use crate::decision::RecoveryDelay;
#[cfg(feature = "metrics")]
use crate::details::EndpointCounts;
#[cfg(feature = "details")]
use crate::details::SHORT_TOKEN;
use crate::endpoint::ResolvedEndpoint;
use crate::error::BuildError;
#[cfg(feature = "details")]
use crate::flow::EndpointHistory;
use crate::flow::{Application, ServedEndpoint, Watches};
use crate::health::{Health, Phases};
use crate::lifecycle::{DrainState, Gate, LastRelease};
use crate::log::{LogMemory, LogRecord};
use crate::maintenance::Maintenance;
use crate::run::{Dispatcher, Engine, Limits, RegisteredCheck};
use crate::state::StateChanges;
use crate::text::cut;

/// The timeout of a check, unless it or the builder sets one.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The timeout of a run, unless a check may take longer.
const DEFAULT_RUN_TIMEOUT: Duration = Duration::from_secs(10);

impl HealthBuilder {
    /// Builds the endpoints, and logs their [warnings](Health::warnings) at WARN. Set up logging before this call.
    ///
    /// Examines the file system of the disablefile; waits at most one second if it does not respond.
    ///
    /// # Errors
    ///
    /// - A setting is for a check that does not exist, or the disablefile has a path that no file can have.
    /// - A check or latch has an invalid or duplicate name, or a check an invalid description, owner or runbook.
    /// - A timeout, period, threshold or limit is zero; the share for slow checks is not above 0 and at most 1; a
    ///   period is shorter than the check's timeout; a run's timeout is shorter than that of one of its checks; a limit
    ///   of a shared check is shorter than its period.
    /// - A check has a period for failing and no other, is shared and of the process only, or has a limit and is not
    ///   shared.
    /// - The expiry of a check is zero, or shorter than its period.
    /// - Two checks exchange views with the peers, one does without any shared check, or one is itself shared, of the
    ///   process only, or required on an endpoint that steers traffic.
    /// - An endpoint has an invalid or duplicate path, names an unknown check or tag, chooses its checks from an empty
    ///   list or in contradicting ways, makes a check both required and optional, ignores a state that it must show,
    ///   has a status code or body that does not fit the state, or was described by a call that has no effect.
    /// - A shutdown phase has an invalid or duplicate name or no time, or all together need the whole
    ///   [`termination_grace_period`](Self::termination_grace_period) or more.
    /// - A liveness endpoint runs a check of a dependency that is not allowed by name.
    pub fn build(mut self) -> Result<Health, BuildError> {
        self.config.recheck()?;
        let unknown = settings::apply(&self.config, &mut self.checks)?;
        self.timeout = self.config.timeout().or(self.timeout);
        self.refuse_bounds()?;
        self.refuse_names()?;
        self.refuse_facts()?;
        self.refuse_phases()?;
        for check in &self.checks {
            self.refuse_times(check)?;
        }
        peers::refuse(&self.checks)?;
        let endpoints = self.resolve_endpoints()?;
        #[cfg(feature = "metrics")]
        let uses_facade = self.uses_facade();

        let sources = self.sources.into_iter().map(|Undebuggable(source)| source);
        let timeout = self.maintenance_timeout;
        let watches = Arc::new(Watches::new(self.watch_interval, self.state_observers));
        let changes = StateChanges::to(Arc::<Watches>::downgrade(&watches));
        let maintenance = Maintenance::new(
            self.config.disablefile(),
            sources.collect(),
            timeout,
            changes.clone(),
        );
        let mut warnings = settings::warnings(&self.config, &maintenance);
        warnings.extend(unknown);
        #[cfg(feature = "details")]
        warnings.extend(endpoints.iter().filter_map(short_token));
        warnings.iter().for_each(LogRecord::emit);

        let default_timeout = self.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let limits = Limits {
            run_timeout: self.run_timeout.unwrap_or_else(|| {
                let on_request = self.checks.iter().filter(|check| check.period.is_none());
                let longest = on_request.map(|check| check.timeout_or(default_timeout)).max();
                DEFAULT_RUN_TIMEOUT.max(longest.unwrap_or_default())
            }),
            min_interval: self.min_interval,
            concurrent_checks: self.concurrent_checks,
            slow_share: self.slow_share,
        };
        let register = |check: Check| {
            let timeout = match check.period {
                Some(_) => default_timeout,
                // A check on request that sets no timeout has no more than the run.
                None => default_timeout.min(limits.run_timeout),
            };
            Arc::new(RegisteredCheck::new(check, timeout))
        };
        let latches = self.latches.into_iter().map(|Undebuggable(latch)| latch);
        let latches: Vec<_> = latches.collect();
        let engine = Arc::new(Engine::new(
            self.checks.into_iter().map(register).collect(),
            limits,
            self.blocking_threads,
            self.observers,
            LastRelease::of(latches.clone(), changes.clone()),
            changes,
            self.runtime.map(|Undebuggable(runtime)| runtime),
        ));
        let endpoints = serve(endpoints, &engine);
        #[cfg(feature = "details")]
        keep_histories(&endpoints, &engine);
        #[cfg(feature = "metrics")]
        keep_counts(&endpoints, &engine, uses_facade);
        let health = Health::new(Application {
            config: self.config,
            maintenance,
            gate: Gate::new(latches),
            drain: DrainState::default(),
            termination_grace_period: self.termination_grace_period,
            phases: Phases::new(self.phases),
            endpoints,
            engine,
            is_started: AtomicBool::new(false),
            is_mounted: AtomicBool::new(false),
            log_policy: self.log_policy,
            watches,
            #[cfg(feature = "details")]
            service: self.service,
            #[cfg(feature = "details")]
            started_at: OnceLock::new(),
            #[cfg(feature = "metrics-facade")]
            facade: OnceLock::new(),
            warnings,
        });
        #[cfg(feature = "metrics-facade")]
        if uses_facade {
            health.application().use_facade();
        }
        Ok(health)
    }

    #[cfg(feature = "metrics")]
    fn uses_facade(&self) -> bool {
        #[cfg(feature = "metrics-facade")]
        return self.uses_facade;
        #[cfg(not(feature = "metrics-facade"))]
        false
    }

    fn resolve_endpoints(&self) -> Result<Vec<ResolvedEndpoint>, BuildError> {
        let main = ResolvedEndpoint::of_settings(&self.config, &self.checks);
        #[cfg(feature = "details")]
        let main = main.with_details(&self.details);
        let mut endpoints = vec![main];
        for endpoint in &self.endpoints {
            let is_taken = |other: &ResolvedEndpoint| *other.path == *endpoint.path();
            if endpoints.iter().any(is_taken) {
                let path = endpoint.path().to_owned();
                return Err(BuildError::DuplicatePath { path });
            }
            endpoints.push(endpoint.resolve(&self.checks)?);
        }
        // Last, so that a request for another endpoint does not look at them.
        let of_checks = endpoints.iter().flat_map(|endpoint| endpoint.of_each_check(&self.checks));
        for endpoint in of_checks.collect::<Vec<_>>() {
            if endpoints.iter().any(|other| other.path == endpoint.path) {
                return Err(BuildError::CheckPath { path: endpoint.path.to_string() });
            }
            endpoints.push(endpoint);
        }
        #[cfg(feature = "metrics")]
        ResolvedEndpoint::count_if_shown(&mut endpoints, self.uses_facade());
        Ok(endpoints)
    }

    fn refuse_names(&self) -> Result<(), BuildError> {
        let mut names = HashSet::new();
        for Check { name, .. } in &self.checks {
            if !is_name(name) {
                return Err(BuildError::CheckName { name: cut(name) });
            }
            if !names.insert(name) {
                return Err(BuildError::DuplicateCheck { name: cut(name) });
            }
        }
        let mut names = HashSet::new();
        for Undebuggable(latch) in &self.latches {
            let name = &latch.name;
            if !is_name(name) {
                return Err(BuildError::LatchName { name: cut(name) });
            }
            if !names.insert(name) {
                return Err(BuildError::DuplicateLatch { name: cut(name) });
            }
        }
        Ok(())
    }

    fn refuse_phases(&self) -> Result<(), BuildError> {
        let mut names = HashSet::new();
        for Phase { name, limit, .. } in &self.phases {
            if !is_name(name) {
                return Err(BuildError::PhaseName { name: cut(name) });
            }
            if !names.insert(name) {
                return Err(BuildError::DuplicatePhase { name: cut(name) });
            }
            if limit.is_zero() {
                return Err(BuildError::ZeroPhase { name: name.clone() });
            }
        }
        let time = Phases::time_of(&self.phases);
        let grace_period = self.termination_grace_period;
        if !self.phases.is_empty() && time >= grace_period {
            return Err(BuildError::LongPhases { time, grace_period });
        }
        Ok(())
    }

    fn refuse_facts(&self) -> Result<(), BuildError> {
        let refused = |check: &Check| {
            let (fact, text, rule) = check.facts.refused()?;
            Some(BuildError::CheckFact { name: check.name.clone(), fact, text: cut(text), rule })
        };
        self.checks.iter().find_map(refused).map_or(Ok(()), Err)
    }

    fn refuse_times(&self, check: &Check) -> Result<(), BuildError> {
        let name = || check.name.clone();
        let timeout = check.timeout_or(self.timeout.unwrap_or(DEFAULT_TIMEOUT));
        if check.period.is_none() && check.failing_period.is_some() {
            return Err(BuildError::NoPeriod { name: name() });
        }
        let period = check.shortest_period();
        if period.is_zero() {
            return Err(BuildError::ZeroPeriod { name: name() });
        }
        if timeout.is_zero() {
            return Err(BuildError::ZeroTimeout { name: name() });
        }
        if period < timeout {
            return Err(BuildError::ShortPeriod { name: name(), period, timeout });
        }
        if let Some(expiry) = check.work.expiry() {
            if expiry.is_zero() {
                return Err(BuildError::ZeroExpiry { name: name() });
            }
            // A shorter period while it fails does not help: it has to be noticed first.
            let period = check.period.unwrap_or(Duration::MAX);
            if period > expiry {
                return Err(BuildError::LongPeriod { name: name(), period, expiry });
            }
        }
        if check.thresholds.failures == 0 || check.thresholds.successes == 0 {
            return Err(BuildError::ZeroThreshold { name: name() });
        }
        refuse_limit(check)?;
        match (check.period, check.timeout.or(self.timeout), self.run_timeout) {
            (None, Some(timeout), Some(run_timeout)) if run_timeout < timeout => {
                Err(BuildError::ShortRunTimeout { name: name(), timeout, run_timeout })
            }
            _ => Ok(()),
        }
    }

    fn refuse_bounds(&self) -> Result<(), BuildError> {
        let bounds = [
            ("timeout", self.timeout == Some(Duration::ZERO)),
            ("run_timeout", self.run_timeout == Some(Duration::ZERO)),
            ("maintenance_timeout", self.maintenance_timeout.is_zero()),
            ("watch_interval", self.watch_interval.is_zero()),
            ("concurrent_checks", self.concurrent_checks == 0),
            ("blocking_threads", self.blocking_threads == 0),
        ];
        if let Some((bound, _)) = bounds.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(BuildError::ZeroBound { bound });
        }
        if self.slow_share > 0.0 && self.slow_share <= 1.0 {
            Ok(())
        } else {
            Err(BuildError::SlowShare { share: self.slow_share.to_string() })
        }
    }
}

/// Refuses what does not fit a shared check.
fn refuse_limit(check: &Check) -> Result<(), BuildError> {
    let name = || check.name.clone();
    if check.is_shared && check.is_process_only {
        return Err(BuildError::SharedProcess { name: name() });
    }
    match check.fail_after {
        Some(_) if !check.is_shared => Err(BuildError::UnsharedLimit { name: name() }),
        Some(limit) if limit.is_zero() || check.period.is_some_and(|period| limit < period) => {
            Err(BuildError::ShortFailureLimit { name: name(), limit })
        }
        _ => Ok(()),
    }
}

/// Endpoints that choose the same checks, and count them alike, share their runs (H7).
fn serve(endpoints: Vec<ResolvedEndpoint>, engine: &Arc<Engine>) -> Vec<ServedEndpoint> {
    let mut served: Vec<ServedEndpoint> = Vec::new();
    for endpoint in endpoints {
        let same = served
            .iter()
            .find(|other| other.endpoint.checks == endpoint.checks)
            .map(|other| other.dispatcher.clone());
        let checks = endpoint
            .checks
            .iter()
            .map(|(index, counting)| (engine.checks[*index].clone(), *counting));
        served.push(ServedEndpoint {
            dispatcher: same
                .unwrap_or_else(|| Arc::new(Dispatcher::new(engine.clone(), checks.collect()))),
            recovery_delay: endpoint
                .recovery_delay
                .map(|max| Box::new(RecoveryDelay::new(max, endpoint.checks.len()))),
            endpoint,
            log_memory: LogMemory::default(),
            #[cfg(feature = "details")]
            history: EndpointHistory::default(),
            #[cfg(feature = "metrics")]
            counts: EndpointCounts::default(),
        });
    }
    served
}

/// Remembers the executions of the checks whose endpoints show them.
#[cfg(feature = "details")]
fn keep_histories(endpoints: &[ServedEndpoint], engine: &Engine) {
    let references = Arc::new(References::new());
    let is_shown = |index: usize| {
        endpoints.iter().any(|served| {
            served.has_details() && served.endpoint.checks.iter().any(|(shown, _)| *shown == index)
        })
    };
    for (index, check) in engine.checks.iter().enumerate() {
        if is_shown(index) {
            check.keep_history(&references);
        }
    }
}

/// Counts the executions of the checks if an endpoint or the facade shows them.
#[cfg(feature = "metrics")]
fn keep_counts(endpoints: &[ServedEndpoint], engine: &Engine, uses_facade: bool) {
    if uses_facade || endpoints.iter().any(ServedEndpoint::has_details) {
        engine.checks.iter().for_each(|check| check.keep_counts());
    }
}

/// The warning about a token of the endpoint that is easily guessed.
#[cfg(feature = "details")]
fn short_token(endpoint: &ResolvedEndpoint) -> Option<LogRecord> {
    let tokens = endpoint.details.as_ref()?.tokens.as_ref()?;
    let shortest = tokens.shortest();
    (shortest < SHORT_TOKEN).then(|| LogRecord::short_token(&endpoint.path, shortest, SHORT_TOKEN))
}
