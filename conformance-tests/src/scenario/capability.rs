//! Capabilities of a server.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A capability that not every server has. A scenario that [needs](crate::Scenario::needs) it is skipped if the server
/// lacks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// `log`: log records can be observed. Without it they are not tested.
    Log,
    /// `checks`: starts of checks can be observed. Without it they are not tested.
    Checks,
    /// `reason`: the server can set the reason phrase of a status line.
    Reason,
    /// `panic`: the server survives a check that panics or raises.
    Panic,
    /// `optional`: a check can be optional.
    Optional,
    /// `background`: a check can run without requests, once per period.
    Background,
    /// `thresholds`: a check can count as failing, or as OK, only after several consecutive results.
    Thresholds,
    /// `shared-dependencies`: a check can be of a dependency that many hosts share.
    SharedDependencies,
    /// `peers`: a host can exchange with its peers how each of them sees shared dependencies.
    Peers,
    /// `rich-results`: a check can be degraded, and report a reason and values.
    RichResults,
    /// `slow-checks`: the server warns of slow checks.
    SlowChecks,
    /// `endpoints`: there can be several endpoints with different responses.
    Endpoints,
    /// `recovery-delay`: an endpoint can delay its return to healthy.
    RecoveryDelay,
    /// `start-up`: latches can keep the server starting.
    StartUp,
    /// `switch`: maintenance can be switched on and off in the program.
    Switch,
    /// `drain`: the server can drain.
    Drain,
    /// `application`: the server covers an application, whose connections the drain closes.
    Application,
    /// `drain-end`: a drain can end early, and has a maximum.
    DrainEnd,
    /// `details`: an endpoint can show more than its word to requests that ask for it.
    Details,
    /// `check-paths`: an endpoint can also respond for each of its checks alone.
    CheckPaths,
    /// `log-policy`: the server can log only changes of state.
    LogPolicy,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Log => "log",
            Self::Checks => "checks",
            Self::Reason => "reason",
            Self::Panic => "panic",
            Self::Optional => "optional",
            Self::Background => "background",
            Self::Thresholds => "thresholds",
            Self::SharedDependencies => "shared-dependencies",
            Self::Peers => "peers",
            Self::RichResults => "rich-results",
            Self::SlowChecks => "slow-checks",
            Self::Endpoints => "endpoints",
            Self::RecoveryDelay => "recovery-delay",
            Self::StartUp => "start-up",
            Self::Switch => "switch",
            Self::Drain => "drain",
            Self::Application => "application",
            Self::DrainEnd => "drain-end",
            Self::Details => "details",
            Self::CheckPaths => "check-paths",
            Self::LogPolicy => "log-policy",
        })
    }
}

/// Capabilities that a server lacks, each with the reason.
pub type Lacks = BTreeMap<Capability, String>;
