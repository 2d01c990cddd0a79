//! Errors at the build of the endpoints.

use std::time::Duration;

use http::StatusCode;

use crate::config::{ConfigError, ConfigRule};
use crate::state::{Body, State};
use crate::text::List;

/// The error of [`HealthBuilder::build`](crate::HealthBuilder::build). `Display` shows what is wrong, where, and what
/// is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting is invalid, or names an unknown check.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Two checks have the same name.
    #[error("two checks are named {name:?}: give each its own name")]
    #[non_exhaustive]
    DuplicateCheck {
        /// The name, cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
        name: String,
    },
    /// The name of a check is empty, too long, or contains a control character.
    #[error("a check cannot be named {name:?}: {NAME_RULE}")]
    #[non_exhaustive]
    CheckName {
        /// The name, cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
        name: String,
    },
    /// The description, owner or runbook of a check is not accepted.
    #[error("the check {name:?} cannot have the {fact} {text:?}: {rule}")]
    #[non_exhaustive]
    CheckFact {
        /// The check's name.
        name: String,
        /// `description`, `owner` or `runbook`.
        fact: &'static str,
        /// The text, cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
        text: String,
        /// What is accepted.
        rule: &'static str,
    },
    /// The name of a shutdown phase is empty, too long, or contains a control character.
    #[error("a shutdown phase cannot be named {name:?}: {NAME_RULE}")]
    #[non_exhaustive]
    PhaseName {
        /// The name, cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
        name: String,
    },
    /// Two shutdown phases have the same name.
    #[error("two shutdown phases are named {name:?}: give each its own name")]
    #[non_exhaustive]
    DuplicatePhase {
        /// The name, cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
        name: String,
    },
    /// The limit of a shutdown phase is zero.
    #[error("the limit of the shutdown phase {name:?} is zero: it must be longer")]
    #[non_exhaustive]
    ZeroPhase {
        /// The phase's name.
        name: String,
    },
    /// The shutdown phases leave no time for a drain.
    #[error(
        "the shutdown phases may take {time:?}, but the process is killed {grace_period:?} after the signal: make          their limits shorter, or set HealthBuilder::termination_grace_period to the time between the signal and the kill          (default: 30s, as in Kubernetes)"
    )]
    #[non_exhaustive]
    LongPhases {
        /// The sum of their limits.
        time: Duration,
        /// The time between the signal and the kill.
        grace_period: Duration,
    },
    /// The timeout of a check is zero.
    #[error("the timeout of the check {name:?} is zero: it must be longer")]
    #[non_exhaustive]
    ZeroTimeout {
        /// The check's name.
        name: String,
    },
    /// The period of a background check is zero.
    #[error("the period of the check {name:?} is zero: it must be longer")]
    #[non_exhaustive]
    ZeroPeriod {
        /// The check's name.
        name: String,
    },
    /// A check that does not run in the background has a period for the time while it fails.
    #[error(
        "Check::every_while_failing has no effect on the check {name:?}, which does not run in the background: remove \
         the call, or call Check::every"
    )]
    #[non_exhaustive]
    NoPeriod {
        /// The check's name.
        name: String,
    },
    /// The period of a background check is shorter than its timeout.
    #[error(
        "the check {name:?} runs every {period:?}, but may take {timeout:?}: make the period at least as long \
         as the timeout"
    )]
    #[non_exhaustive]
    ShortPeriod {
        /// The check's name.
        name: String,
        /// Its period.
        period: Duration,
        /// Its timeout.
        timeout: Duration,
    },
    /// The expiry of a heartbeat or a tokio runtime is zero.
    #[error("the expiry of the check {name:?} is zero: it must be longer")]
    #[non_exhaustive]
    ZeroExpiry {
        /// The check's name.
        name: String,
    },
    /// The check of a heartbeat or a tokio runtime has a period that is longer than its expiry.
    #[error(
        "the check {name:?} expires after {expiry:?}, but runs only every {period:?}: make the period at most as long \
         as the expiry"
    )]
    #[non_exhaustive]
    LongPeriod {
        /// The check's name.
        name: String,
        /// Its period.
        period: Duration,
        /// Its expiry.
        expiry: Duration,
    },
    /// The timeout of a run is shorter than that of one of its checks.
    #[error(
        "the check {name:?} may take {timeout:?}, but a run only {run_timeout:?}: make \
         HealthBuilder::run_timeout at least as long"
    )]
    #[non_exhaustive]
    ShortRunTimeout {
        /// The check's name.
        name: String,
        /// The timeout of the check.
        timeout: Duration,
        /// The timeout of a run.
        run_timeout: Duration,
    },
    /// A threshold of a check is zero.
    #[error("a threshold of the check {name:?} is zero: it must be 1 or more")]
    #[non_exhaustive]
    ZeroThreshold {
        /// The check's name.
        name: String,
    },
    /// A limit of the builder is zero.
    #[error("HealthBuilder::{bound} is zero: it must be more")]
    #[non_exhaustive]
    ZeroBound {
        /// The method of [`HealthBuilder`](crate::HealthBuilder) that sets it.
        bound: &'static str,
    },
    /// The share of a timeout after which a check is slow is out of range.
    #[error(
        "HealthBuilder::slow_share is {share}: it must be above 0 and at most 1, which is the whole timeout"
    )]
    #[non_exhaustive]
    SlowShare {
        /// The number.
        share: String,
    },
    /// Two endpoints have the same path.
    #[error("two endpoints have the path {path:?}: give each its own path")]
    #[non_exhaustive]
    DuplicatePath {
        /// The path.
        path: String,
    },
    /// The path of a check is that of an endpoint, or of another check.
    #[error(
        "{path:?} is the path of a check of an endpoint with `check_paths`, and of another endpoint: give that another path"
    )]
    #[non_exhaustive]
    CheckPath {
        /// The path.
        path: String,
    },
    /// The path of an endpoint is not accepted.
    #[error("an endpoint cannot have the path {path:?}: {rule}")]
    #[non_exhaustive]
    EndpointPath {
        /// The path.
        path: String,
        /// The rule that it breaks.
        rule: ConfigRule,
    },
    /// A status code of an endpoint is outside the accepted range.
    #[error("the endpoint at {path:?} cannot respond {status} in the state {state}: {rule}", status = .status.as_u16())]
    #[non_exhaustive]
    EndpointCode {
        /// The endpoint's path.
        path: String,
        /// The state.
        state: State,
        /// The status code.
        status: StatusCode,
        /// The rule that it breaks.
        rule: ConfigRule,
    },
    /// A response of an endpoint contradicts its state.
    #[error(
        "the endpoint at {path:?} cannot respond {status} {body} in the state {state}: {reason}",
        status = .status.as_u16()
    )]
    #[non_exhaustive]
    ContradictingCode {
        /// The endpoint's path.
        path: String,
        /// The state.
        state: State,
        /// The status code.
        status: StatusCode,
        /// The body.
        body: Body,
        /// Why the status code and the body contradict the state.
        reason: &'static str,
    },
    /// An endpoint ignores a state that it must show.
    #[error(
        "the endpoint at {path:?} cannot ignore the state {state}: only starting, maintenance and draining can be \
         ignored"
    )]
    #[non_exhaustive]
    IgnoredState {
        /// The endpoint's path.
        path: String,
        /// The state.
        state: State,
    },
    /// Two calls choose the checks of an endpoint, and contradict each other.
    #[error(
        "the endpoint at {path:?} chooses its checks in ways that contradict each other: call only no_checks, \
         only all_checks, or any of only_checks and tagged"
    )]
    #[non_exhaustive]
    ContradictingChoice {
        /// The endpoint's path.
        path: String,
    },
    /// Two calls make a check both required and optional on an endpoint.
    #[error(
        "the endpoint at {path:?} makes the check {name:?} both required and optional: call only \
         Endpoint::required_check or only Endpoint::optional_check for it"
    )]
    #[non_exhaustive]
    ContradictingCriticality {
        /// The endpoint's path.
        path: String,
        /// The check's name.
        name: String,
    },
    /// A check is of the process only, and of a shared dependency.
    #[error(
        "the check {name:?} cannot look at the process only and at a shared dependency: call only \
         Check::process_only or only Check::shared"
    )]
    #[non_exhaustive]
    SharedProcess {
        /// The check's name.
        name: String,
    },
    /// A check that is not shared has a limit for its failure.
    #[error(
        "Check::fail_after has no effect on the check {name:?}, which is not shared: remove the call, or call \
         Check::shared"
    )]
    #[non_exhaustive]
    UnsharedLimit {
        /// The check's name.
        name: String,
    },
    /// The limit for the failure of a shared check is zero, or shorter than the period of the check.
    #[error(
        "the shared check {name:?} makes the state failing after {limit:?}: the limit must be longer than zero and \
         not shorter than the period of a background check"
    )]
    #[non_exhaustive]
    ShortFailureLimit {
        /// The check's name.
        name: String,
        /// The limit.
        limit: Duration,
    },
    /// Two checks exchange views with the peers.
    #[error(
        "the checks {first:?} and {second:?} both exchange views with the peers: register one Check::peers, whose \
         views are of all shared checks"
    )]
    #[non_exhaustive]
    DuplicatePeers {
        /// The name of the first.
        first: String,
        /// The name of the second.
        second: String,
    },
    /// A check exchanges views with the peers, and no check is shared.
    #[error(
        "the check {name:?} exchanges views of shared checks with the peers, but no check is shared: remove it, or call \
         Check::shared for a check"
    )]
    #[non_exhaustive]
    PeersWithoutShared {
        /// The check's name.
        name: String,
    },
    /// The check that exchanges views with the peers is itself shared, or of the process only.
    #[error(
        "the check {name:?} exchanges views with the peers, and is neither shared nor of the process only: remove \
         Check::{call}"
    )]
    #[non_exhaustive]
    MisdescribedPeers {
        /// The check's name.
        name: String,
        /// The method of [`Check`](crate::Check).
        call: &'static str,
    },
    /// An endpoint that steers traffic requires the check that exchanges views with the peers.
    #[error(
        "the endpoint at {path:?} steers traffic and requires the check {name:?}: if the hosts cannot meet, all of them \
         would leave; remove Endpoint::required_check, or call Endpoint::purpose"
    )]
    #[non_exhaustive]
    RequiredPeers {
        /// The endpoint's path.
        path: String,
        /// The check's name.
        name: String,
    },
    /// An endpoint cannot delay its return to healthy by this time.
    #[error("the endpoint at {path:?} cannot delay its recovery by up to {max:?}: {reason}")]
    #[non_exhaustive]
    RecoveryDelay {
        /// The endpoint's path.
        path: String,
        /// The longest delay.
        max: Duration,
        /// The reason.
        reason: &'static str,
    },
    /// A call that describes an endpoint has no effect.
    #[error(
        "Endpoint::{call} has no effect on the endpoint at {path:?}, {reason}: remove the call"
    )]
    #[non_exhaustive]
    NoEffect {
        /// The endpoint's path.
        path: String,
        /// The method of [`Endpoint`](crate::Endpoint).
        call: &'static str,
        /// The reason, such as `which ignores maintenance`.
        reason: &'static str,
    },
    /// An endpoint names a check that is not registered.
    #[error(
        "the endpoint at {path:?} names the check {name:?}, which is not registered: {}",
        List("checks", registered)
    )]
    #[non_exhaustive]
    UnknownCheck {
        /// The endpoint's path.
        path: String,
        /// The name.
        name: String,
        /// The names of all checks.
        registered: Vec<String>,
    },
    /// An endpoint is to run only the checks of an empty list.
    #[error(
        "the endpoint at {path:?} runs only the checks of an empty list: call Endpoint::no_checks if it is to run \
         none"
    )]
    #[non_exhaustive]
    EmptyChoice {
        /// The endpoint's path.
        path: String,
    },
    /// An endpoint names a tag that no check has.
    #[error(
        "the endpoint at {path:?} names the tag {tag:?}, which no check has: {}",
        List("tags", tags)
    )]
    #[non_exhaustive]
    UnknownTag {
        /// The endpoint's path.
        path: String,
        /// The tag.
        tag: String,
        /// The tags of all checks.
        tags: Vec<String>,
    },
    /// A liveness endpoint runs the check of a dependency.
    #[error(
        "the liveness endpoint at {path:?} runs the check {name:?} of a dependency, whose failure a restart \
         cannot fix: leave it out, mark it with Check::process_only, or allow it with Endpoint::allow_dependency"
    )]
    #[non_exhaustive]
    DependencyInLiveness {
        /// The endpoint's path.
        path: String,
        /// The check's name.
        name: String,
    },
    /// The name of a start-up latch is empty, too long, or contains a control character.
    #[error("a start-up latch cannot be named {name:?}: {NAME_RULE}")]
    #[non_exhaustive]
    LatchName {
        /// The name, cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
        name: String,
    },
    /// Two start-up latches have the same name, or one was added twice.
    #[error("two start-up latches are named {name:?}: give each its own name, and add it once")]
    #[non_exhaustive]
    DuplicateLatch {
        /// The name.
        name: String,
    },
}

const NAME_RULE: &str = "a name has 1 to 128 characters, none of them a control character";
