//! Several indicators as one, such as the replicas of a database.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::future::join_all;
use health_core::{CheckResult, Report, Status, Unit};

use crate::failure::{misconfigured, redact};
use crate::{Class, Indicator, reason};

/// Passes if one of the members passes; it is degraded as long as another does not.
///
/// ```
/// use health_indicators::{Indicator as _, any_of, kept};
/// # use std::io;
/// # struct Ldap;
/// # impl Ldap {
/// #     async fn connect(_: &str) -> io::Result<Self> { Ok(Self) }
/// #     async fn ping(&mut self) -> io::Result<()> { Ok(()) }
/// # }
///
/// let server = |host: &'static str| {
///     (host, kept(move || Ldap::connect(host), |ldap| Box::pin(ldap.ping())))
/// };
/// let check = any_of([server("ldap-1"), server("ldap-2")]).check("directory");
/// ```
///
/// Members of different types are boxed: `Box<dyn Indicator>` is an indicator too. What blocks its thread, such as
/// [`dns`](crate::dns), is no indicator, and cannot be a member.
pub fn any_of<N: Into<String>, I: Indicator>(members: impl IntoIterator<Item = (N, I)>) -> Group {
    Group::new(Needed::AtLeast(1), members)
}

/// Fails if one of the members fails, and is degraded if one is.
pub fn all_of<N: Into<String>, I: Indicator>(members: impl IntoIterator<Item = (N, I)>) -> Group {
    Group::new(Needed::All, members)
}

/// Passes if `number` of the members pass; it is degraded as long as another does not. Zero, and more than there are
/// members, are an error with the reason `misconfigured`.
pub fn at_least<N: Into<String>, I: Indicator>(
    number: usize,
    members: impl IntoIterator<Item = (N, I)>,
) -> Group {
    Group::new(Needed::AtLeast(number), members)
}

/// Several indicators, which are tested at the same time: see [`any_of`], [`all_of`] and [`at_least`].
///
/// | | |
/// |---|---|
/// | class | that of its members; shared if they differ |
/// | timeout | the longest of its members |
/// | reasons | that of the first member that failed; `failed` if it panicked; `misconfigured` |
/// | values | `passed` and `members` |
#[must_use = "an indicator does nothing until its check is registered"]
pub struct Group {
    needed: Needed,
    members: Vec<(String, Box<dyn Indicator>)>,
}

#[derive(Debug, Clone, Copy)]
enum Needed {
    All,
    AtLeast(usize),
}

impl Group {
    fn new<N: Into<String>, I: Indicator>(
        needed: Needed,
        members: impl IntoIterator<Item = (N, I)>,
    ) -> Self {
        let boxed = |(name, member): (N, I)| (name.into(), Box::new(member) as Box<dyn Indicator>);
        Self { needed, members: members.into_iter().map(boxed).collect() }
    }

    fn judge(&self, needed: usize, reports: &[Report]) -> CheckResult {
        let others = || reports.iter().filter(|report| report.status() != Status::Ok);
        let passed = reports.iter().filter(|report| report.status() != Status::Error).count();
        let describe = |report: &Report| match report.message() {
            Some(message) => format!("{}: {message}", report.name()),
            None => report.name().to_owned(),
        };
        let text = || {
            let others: Vec<_> = others().map(describe).collect();
            let members = reports.len();
            format!("{passed} of {members} pass, {needed} are needed: {}", others.join("; "))
        };
        let first_failed = others().find(|report| report.status() == Status::Error);
        let reason = first_failed.or(others().next()).and_then(Report::reason);
        let result = match passed {
            _ if others().next().is_none() => CheckResult::ok(),
            enough if enough >= needed => CheckResult::degraded(text()),
            _ => CheckResult::error(text()),
        };
        let result = match reason {
            Some(reason) => result.reason(reason.to_owned()),
            None => result,
        };
        result.value("passed", passed as f64, Unit::Count).value(
            "members",
            reports.len() as f64,
            Unit::Count,
        )
    }
}

/// The result of a member. One that panics fails alone.
async fn tested(member: &dyn Indicator) -> CheckResult {
    let panicked = |payload: Box<dyn Any + Send>| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
        CheckResult::error(format!("panicked: {}", redact(text))).reason(reason::FAILED)
    };
    // Unwind safety: an indicator takes its connection out of its state for each test.
    AssertUnwindSafe(async { member.test().await }).catch_unwind().await.unwrap_or_else(panicked)
}

#[async_trait]
impl Indicator for Group {
    async fn test(&self) -> CheckResult {
        let members = self.members.len();
        let needed = match self.needed {
            Needed::All => members,
            Needed::AtLeast(number) => number,
        };
        if !(1..=members).contains(&needed) {
            return misconfigured(format_args!("{needed} of {members} members cannot be needed"));
        }
        let tests = self
            .members
            .iter()
            .map(|(name, member)| async move { Report::of(name, tested(&**member).await) });
        let reports = join_all(tests).await;

        self.judge(needed, &reports)
    }

    fn timeout(&self) -> Duration {
        self.members.iter().map(|(_, member)| member.timeout()).max().unwrap_or_default()
    }

    fn class(&self) -> Class {
        let mut classes = self.members.iter().map(|(_, member)| member.class());
        let first = classes.next().unwrap_or(Class::Shared);
        if classes.all(|class| class == first) { first } else { Class::Shared }
    }
}
