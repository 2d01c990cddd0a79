//! An endpoint whose description was validated (H16).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::response::{Envoy, Reply};
use super::{Choice, Endpoint, Purpose, Replies, RunChecks, Selection};
use crate::check::{Check, Counting, Criticality};
use crate::config::{HealthConfig, code, default_maintenance_code, url};
#[cfg(feature = "details")]
use crate::details::EndpointDetails;
use crate::error::BuildError;
use crate::state::{Body, State};

/// See the [module's doc](self).
#[derive(Debug)]
pub(crate) struct ResolvedEndpoint {
    /// Shared with the records of its responses.
    pub(crate) path: Arc<str>,
    /// The checks that it runs, as indices of the registered ones, and how their failures count.
    pub(crate) checks: Vec<(usize, Counting)>,
    pub(crate) run_checks: RunChecks,
    pub(crate) purpose: Purpose,
    pub(crate) replies: Replies,
    /// The longest delay of its return to healthy (H25).
    pub(crate) recovery_delay: Option<Duration>,
    /// Whether each of its checks has its own path.
    pub(super) has_check_paths: bool,
    /// Whether it is for one check of another endpoint.
    pub(crate) is_of_check: bool,
    /// What it shows besides the word; `None` if nothing, and its responses are not counted. Boxed: few endpoints have
    /// details.
    #[cfg(feature = "details")]
    pub(crate) details: Option<Box<EndpointDetails>>,
}

impl ResolvedEndpoint {
    /// The endpoint of the settings, with any codes that the settings accept (H11).
    pub(crate) fn of_settings(config: &HealthConfig, checks: &[Check]) -> Self {
        let counting = |check: &Check| counting(check, check.criticality, Purpose::SteersTraffic);
        let ok = Reply::new(StatusCode::OK, Body::Ok);
        let maintenance = Some(Reply::new(config.maintenance_code(), Body::Maintenance));
        Self {
            path: config.url().into(),
            checks: checks.iter().map(counting).enumerate().collect(),
            run_checks: config.run_checks(),
            purpose: Purpose::SteersTraffic,
            replies: Replies {
                ok,
                degraded: ok,
                failing: Reply::new(config.failure_code(), Body::Error),
                starting: maintenance,
                maintenance,
                draining: maintenance,
            },
            recovery_delay: None,
            has_check_paths: false,
            is_of_check: false,
            #[cfg(feature = "details")]
            details: None,
        }
    }
}

#[cfg(feature = "details")]
impl ResolvedEndpoint {
    /// Shows `details`, if there are any.
    pub(crate) fn with_details(mut self, details: &EndpointDetails) -> Self {
        if !details.is_none() {
            self.details = Some(Box::new(details.clone()));
        }
        self
    }

    /// Counts the responses of all endpoints if one of them shows it, or if it is published. So a response of an application without metrics looks
    /// no further than whether the endpoint has details.
    #[cfg(feature = "metrics")]
    pub(crate) fn count_if_shown(endpoints: &mut [Self], is_published: bool) {
        if is_published || endpoints.iter().any(|endpoint| endpoint.details.is_some()) {
            for endpoint in endpoints.iter_mut().filter(|endpoint| !endpoint.is_of_check) {
                endpoint.details.get_or_insert_default();
            }
        }
    }
}

impl Endpoint {
    /// Validates the description, and resolves its checks among the registered ones.
    pub(crate) fn resolve(&self, checks: &[Check]) -> Result<ResolvedEndpoint, BuildError> {
        let path = || self.path.clone();
        url(&self.path).map_err(|rule| BuildError::EndpointPath { path: path(), rule })?;
        if let Some(state) = self.cannot_ignore {
            return Err(BuildError::IgnoredState { path: path(), state });
        }
        if let Some(name) = &self.contradicting_criticality {
            return Err(BuildError::ContradictingCriticality { path: path(), name: name.clone() });
        }
        if self.has_contradicting_choices {
            return Err(BuildError::ContradictingChoice { path: path() });
        }
        self.refuse_calls_without_effect()?;
        #[cfg(feature = "metrics")]
        self.refuse_metrics()?;
        for (state, reply) in self.replies.iter() {
            self.refuse_contradiction(state, reply)?;
        }
        let failing = self.replies.failing.status;
        if self.allowed_failing.is_some_and(|allowed| allowed != failing) {
            let reason = "which responds with another code when failing";
            return Err(self.no_effect("allow_failing_code", reason));
        }
        let checks = self.select(checks)?;
        self.refuse_recovery_delay(checks.len())?;
        self.refuse_check_paths(checks.len())?;
        let resolved = ResolvedEndpoint {
            checks,
            run_checks: self.run_checks,
            purpose: self.purpose,
            replies: self.replies_with_headers(),
            recovery_delay: self.recovery_delay,
            has_check_paths: self.has_check_paths,
            is_of_check: false,
            #[cfg(feature = "details")]
            details: None,
            path: path().into(),
        };
        #[cfg(feature = "details")]
        let resolved = resolved.with_details(&self.details);
        Ok(resolved)
    }

    fn refuse_calls_without_effect(&self) -> Result<(), BuildError> {
        if self.retry_after.is_some() && self.replies.maintenance.is_none() {
            return Err(self.no_effect("retry_after", "which ignores maintenance"));
        }
        if !self.is_liveness && !self.allowed_dependencies.is_empty() {
            return Err(self.no_effect("allow_dependency", "which is not a liveness endpoint"));
        }
        let chosen_by = match &self.selection {
            Some(Selection::All) => Some("all_checks"),
            Some(Selection::Only(choice)) if choice.names.is_empty() => Some("tagged"),
            Some(Selection::Only(_)) => Some("only_checks"),
            Some(Selection::None) | None => None,
        };
        if let (RunChecks::Never, Some(call)) = (self.run_checks, chosen_by) {
            return Err(self.no_effect(call, "which never runs its checks"));
        }
        Ok(())
    }

    pub(super) fn no_effect(&self, call: &'static str, reason: &'static str) -> BuildError {
        let path = self.path.clone();
        BuildError::NoEffect { path, call, reason }
    }

    fn refuse_contradiction(&self, state: State, reply: Reply) -> Result<(), BuildError> {
        let Reply { status, body, .. } = reply;
        let path = self.path.clone();
        match (code(status.as_u16()), self.contradiction(state, reply)) {
            (Err(rule), _) => Err(BuildError::EndpointCode { path, state, status, rule }),
            (Ok(_), Some(reason)) => {
                Err(BuildError::ContradictingCode { path, state, status, body, reason })
            }
            (Ok(_), None) => Ok(()),
        }
    }

    /// Why pollers would misunderstand `reply` in `state`.
    fn contradiction(&self, state: State, reply: Reply) -> Option<&'static str> {
        let Reply { status, body, .. } = reply;
        let is_success = status.is_success();
        let passes = is_success || status.is_redirection();
        match state {
            State::Ok if !is_success => Some("ok needs a code from 200 to 299"),
            State::Ok if body != Body::Ok => Some("ok needs the body OK"),
            State::Ok => None,
            State::Degraded if body == Body::Ok && !is_success => {
                Some("the body OK needs a code from 200 to 299")
            }
            State::Degraded => None,
            _ if body == Body::Ok => Some("only ok and degraded can have the body OK"),
            State::Failing if passes && self.allowed_failing != Some(status) => Some(
                "pollers regard a code below 400 as healthy; allow it with Endpoint::allow_failing_code",
            ),
            State::Failing => None,
            State::Starting | State::Maintenance | State::Draining if self.is_liveness => {
                Some("the process must not be restarted for it; use Endpoint::readiness")
            }
            State::Starting | State::Maintenance | State::Draining
                if passes && status != default_maintenance_code() =>
            {
                Some(
                    "pollers regard a code below 400 as healthy; use another, use 299, or ignore the state",
                )
            }
            State::Starting | State::Maintenance | State::Draining => None,
        }
    }

    fn replies_with_headers(&self) -> Replies {
        let mut replies = self.replies;
        if let Some(maintenance) = &mut replies.maintenance {
            maintenance.extra.retry_after = self.retry_after.map(whole_seconds);
        }
        if self.is_envoy {
            replies.degraded.extra.envoy = Some(Envoy::Degraded);
            let shown = [&mut replies.maintenance, &mut replies.draining];
            for reply in shown.into_iter().flatten() {
                reply.extra.envoy = Some(Envoy::ImmediateFail);
            }
        }
        replies
    }

    /// The checks that it runs, and how their failures count.
    fn select(&self, checks: &[Check]) -> Result<Vec<(usize, Counting)>, BuildError> {
        let selection = self.selection.as_ref().unwrap_or(&self.default_selection);
        if let Selection::Only(choice) = selection {
            self.refuse_unknown_choice(choice, checks)?;
        }
        self.refuse_unknown_names(&self.allowed_dependencies, checks)?;
        self.refuse_unknown_names(self.criticalities.keys(), checks)?;
        let is_chosen = |check: &Check| match selection {
            Selection::All => true,
            Selection::None => false,
            Selection::Only(Choice { names, tags }) => {
                names.contains(&check.name) || !check.tags.is_disjoint(tags)
            }
        };
        let is_allowed = |check: &Check| {
            !self.is_liveness
                || check.is_process_only
                || self.allowed_dependencies.contains(&check.name)
        };
        let mut selected = Vec::new();
        for (index, check) in checks.iter().enumerate() {
            if is_chosen(check) && !is_allowed(check) {
                return Err(BuildError::DependencyInLiveness {
                    path: self.path.clone(),
                    name: check.name.clone(),
                });
            }
            if is_chosen(check) {
                let criticality = self.criticalities.get(&check.name);
                let criticality = criticality.copied().unwrap_or(check.criticality);
                self.refuse_required_peers(check, criticality)?;
                selected.push((index, counting(check, criticality, self.purpose)));
            }
        }
        let is_selected =
            |name: &String| selected.iter().any(|&(index, _)| checks[index].name == *name);
        if let Some((_, criticality)) =
            self.criticalities.iter().find(|(name, _)| !is_selected(name))
        {
            let call = match criticality {
                Criticality::Required => "required_check",
                Criticality::Optional => "optional_check",
            };
            return Err(self.no_effect(call, "which does not run the check"));
        }
        if !self.allowed_dependencies.iter().all(is_selected) {
            let reason =
                "which runs a check only if Endpoint::only_checks, tagged or all_checks chooses it";
            return Err(self.no_effect("allow_dependency", reason));
        }
        Ok(selected)
    }

    /// The loss of the place where the hosts meet must not take all of them out of service.
    fn refuse_required_peers(
        &self,
        check: &Check,
        criticality: Criticality,
    ) -> Result<(), BuildError> {
        match (criticality, self.purpose) {
            (Criticality::Required, Purpose::SteersTraffic) if check.is_of_peers() => {
                Err(BuildError::RequiredPeers { path: self.path.clone(), name: check.name.clone() })
            }
            _ => Ok(()),
        }
    }

    fn refuse_unknown_choice(&self, choice: &Choice, checks: &[Check]) -> Result<(), BuildError> {
        let path = || self.path.clone();
        if choice.names.is_empty() && choice.tags.is_empty() {
            return Err(BuildError::EmptyChoice { path: path() });
        }
        self.refuse_unknown_names(&choice.names, checks)?;
        let tags: BTreeSet<_> = checks.iter().flat_map(|check| &check.tags).collect();
        match choice.tags.iter().find(|tag| !tags.contains(tag)) {
            None => Ok(()),
            Some(tag) => Err(BuildError::UnknownTag {
                path: path(),
                tag: tag.clone(),
                tags: tags.into_iter().cloned().collect(),
            }),
        }
    }

    fn refuse_unknown_names<'a>(
        &self,
        names: impl IntoIterator<Item = &'a String>,
        checks: &[Check],
    ) -> Result<(), BuildError> {
        let is_known = |name: &str| checks.iter().any(|check| check.name == name);
        match names.into_iter().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => Err(BuildError::UnknownCheck {
                path: self.path.clone(),
                name: name.clone(),
                registered: checks.iter().map(|check| check.name.clone()).collect(),
            }),
        }
    }
}

/// How an endpoint for `purpose`, on which `check` is of this criticality, counts its failures (H22).
fn counting(check: &Check, criticality: Criticality, purpose: Purpose) -> Counting {
    match (criticality, purpose) {
        (Criticality::Required, Purpose::SteersTraffic) if check.is_shared => {
            Counting::Shared { fail_after: check.fail_after }
        }
        (_, Purpose::SteersTraffic | Purpose::AlertsPeople) => Counting::As(criticality),
    }
}

/// Rounded up: a client must not come back early.
fn whole_seconds(time: Duration) -> u64 {
    let part = u64::from(time.subsec_nanos() > 0);
    time.as_secs().saturating_add(part)
}
