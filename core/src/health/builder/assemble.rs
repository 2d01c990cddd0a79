//! From the description to the endpoints: what cannot be is refused, what can be is wired.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::{Foreign, HealthBuilder};
use crate::application::{Parts, Served};
use crate::check::is_name;
use crate::endpoint::Resolved;
use crate::error::BuildError;
use crate::health::Health;
use crate::lifecycle::Drain;
use crate::lifecycle::Gate;
use crate::log::LogRecord;
use crate::maintenance::Maintenance;
use crate::run::Registered;
use crate::run::{Engine, Limits};
use crate::text::cut;

/// How long a run may take, unless a check may take longer.
const DEFAULT_RUN_TIMEOUT: Duration = Duration::from_secs(10);

impl HealthBuilder {
    /// Builds the endpoints, and logs their [warnings](Health::warnings) at WARN; so set up the log first.
    ///
    /// Looks around where the disablefile is to be, and waits a second at most if the file system does not
    /// answer.
    ///
    /// # Errors
    ///
    /// A check's or latch's name is no name, or two share one; a timeout, a period, a threshold or another bound is
    /// zero; a check is to run more often than its timeout allows; an endpoint's path cannot be one, or is another's; it
    /// names a check or tag that there is not, or chooses from an empty list; it ignores a state that it cannot; a
    /// code of it is out of range, or contradicts its state; a liveness endpoint runs a dependency check that is not
    /// allowed by name.
    pub fn build(self) -> Result<Health, BuildError> {
        self.refuse_zeros()?;
        self.refuse_names()?;
        let checks = self.checks.into_iter();
        let checks = checks.map(|check| Registered::new(check, self.timeout).map(Arc::new));
        let checks = checks.collect::<Result<Vec<_>, _>>()?;
        let on_request = checks.iter().filter(|check| check.period.is_none());
        let longest = on_request.map(|check| check.timeout).max();
        let default = DEFAULT_RUN_TIMEOUT.max(longest.unwrap_or_default());
        let limits = Limits {
            run_timeout: self.run_timeout.unwrap_or(default),
            min_interval: self.min_interval,
            concurrent_checks: self.concurrent_checks,
        };

        let mut endpoints = vec![Resolved::of_settings(&self.config, checks.len())];
        for endpoint in self.endpoints {
            let is_taken = |other: &Resolved| other.path == endpoint.path();
            if endpoints.iter().any(is_taken) {
                let path = endpoint.path().to_owned();
                return Err(BuildError::DuplicatePath { path });
            }
            endpoints.push(endpoint.resolve(&checks)?);
        }

        let sources = self.sources.into_iter().map(|Foreign(source)| source);
        let sources = sources.collect();
        let maintenance =
            Maintenance::new(self.config.disablefile(), sources, self.maintenance_timeout);
        let exposed = self.config.disablefile().filter(|_| maintenance.survey());
        let unknown = self.config.unknown_variables().iter();
        let unknown = unknown.map(|name| LogRecord::unknown_variable(name));
        let warnings: Vec<_> = unknown
            .chain(exposed.map(LogRecord::disablefile_exposed))
            .collect();
        warnings.iter().for_each(LogRecord::emit);

        let runtime = self.runtime.map(|Foreign(runtime)| runtime);
        let threads = self.blocking_threads;
        let latches = self.latches.into_iter().map(|Foreign(latch)| latch);
        let engine = Engine::new(checks, limits, threads, self.observers, runtime);
        let engine = Arc::new(engine);
        Ok(Health::new(Parts {
            config: self.config,
            maintenance,
            gate: Gate::new(latches.collect()),
            drain: Drain::default(),
            termination_grace_period: self.termination_grace_period,
            endpoints: Served::all(endpoints, &engine),
            engine,
            is_started: AtomicBool::new(false),
            log_policy: self.log_policy,
            warnings,
        }))
    }

    fn refuse_names(&self) -> Result<(), BuildError> {
        let mut names = HashSet::new();
        for check in &self.checks {
            if !names.insert(&check.name) {
                let name = cut(&check.name);
                return Err(BuildError::DuplicateCheck { name });
            }
        }
        let mut names = HashSet::new();
        for Foreign(latch) in &self.latches {
            let name = || cut(&latch.name);
            if !is_name(&latch.name) {
                return Err(BuildError::LatchName { name: name() });
            }
            if !names.insert(&latch.name) {
                return Err(BuildError::DuplicateLatch { name: name() });
            }
        }
        Ok(())
    }

    fn refuse_zeros(&self) -> Result<(), BuildError> {
        let bounds = [
            ("timeout", self.timeout.is_zero()),
            (
                "run_timeout",
                self.run_timeout.is_some_and(|limit| limit.is_zero()),
            ),
            ("maintenance_timeout", self.maintenance_timeout.is_zero()),
            ("concurrent_checks", self.concurrent_checks == 0),
            ("blocking_threads", self.blocking_threads == 0),
        ];
        match bounds.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((bound, _)) => Err(BuildError::ZeroBound { bound }),
            None => Ok(()),
        }
    }
}
