//! What a server may be unable to show, whatever it answers.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that not every server can show. A scenario that [needs](crate::Scenario::needs) it is
/// skipped where it is missing, by name and with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// `log`: its log records can be observed. Without it no scenario judges them.
    Log,
    /// `checks`: starts of checks can be observed. Without it no scenario judges them.
    Checks,
    /// `reason`: it can set the reason phrase of a status line.
    Reason,
    /// `panic`: a check that panics, or raises, can be contained.
    Panic,
    /// `optional`: a check can be optional.
    Optional,
    /// `background`: a check can run by itself, once each period.
    Background,
    /// `thresholds`: a check can count as failing, or as OK, only after several results in a row.
    Thresholds,
    /// `endpoints`: there can be several, each with its own answers.
    Endpoints,
    /// `start-up`: latches can hold it in its start-up.
    StartUp,
    /// `switch`: maintenance can be switched on and off in the program.
    Switch,
    /// `drain`: it can be told to drain.
    Drain,
    /// `log-policy`: it can log changes of state only.
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
            Self::Endpoints => "endpoints",
            Self::StartUp => "start-up",
            Self::Switch => "switch",
            Self::Drain => "drain",
            Self::LogPolicy => "log-policy",
        })
    }
}

/// The capabilities that a server lacks, each with the reason.
pub type Lacks = BTreeMap<Capability, String>;
