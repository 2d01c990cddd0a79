//! What all indicators have in common.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use health_core::{Check, CheckResult};

/// What fails with an indicator, from which follows how its failure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// This process, and a restart can fix it: the check is [`process_only`](Check::process_only).
    Process,
    /// This host, or something that only this host uses. The check is required.
    Local,
    /// Something that many hosts have in common: the check is [`shared`](Check::shared).
    Shared,
}

impl Class {
    pub(crate) fn apply(self, check: Check) -> Check {
        match self {
            Self::Process => check.process_only(),
            Self::Local => check,
            Self::Shared => check.shared(),
        }
    }
}

/// A test that waits for something else, such as a server, and never for long.
///
/// [`check`](Self::check) makes a [`Check`] of it; [`any_of`](crate::any_of), [`all_of`](crate::all_of) and
/// [`at_least`](crate::at_least) combine several to one.
#[async_trait]
pub trait Indicator: Send + Sync + 'static {
    /// Tests it once, and ends within the [timeout](Self::timeout).
    async fn test(&self) -> CheckResult;

    /// The longest time that a test takes.
    fn timeout(&self) -> Duration;

    /// What its failure means. Default: [`Class::Shared`].
    fn class(&self) -> Class {
        Class::Shared
    }

    /// The check of this name, with the options that follow from the [class](Self::class), and a timeout a quarter longer
    /// than that of the indicator, so that the indicator reports what took so long.
    fn check(self, name: impl Into<String>) -> Check
    where
        Self: Sized,
    {
        let (class, timeout) = (self.class(), self.timeout());
        let test = |indicator: Arc<Self>| async move { indicator.test().await };
        class.apply(Check::with(name, Arc::new(self), test)).timeout(longer(timeout))
    }
}

/// The timeout of a check whose own timeout is `timeout`.
pub(crate) fn longer(timeout: Duration) -> Duration {
    timeout.saturating_add(timeout / 4)
}

#[async_trait]
impl Indicator for Box<dyn Indicator> {
    async fn test(&self) -> CheckResult {
        (**self).test().await
    }

    fn timeout(&self) -> Duration {
        (**self).timeout()
    }

    fn class(&self) -> Class {
        (**self).class()
    }
}
