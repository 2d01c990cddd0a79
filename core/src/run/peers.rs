//! The views that peers have of shared checks (H24).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Run;
use super::execution::{Polled, panic_report, poll_in_time};
use super::registered::{RegisteredCheck, STALE_AFTER};
use crate::check::{CheckResult, Found, OwnView, PeerExchange, PeerView, PeerViews, Report, Work};
use crate::runtime::after;
use crate::runtime::process::PerProcess;
use crate::runtime::sync::{Mutex, lock};

/// The last view that the peers have of a shared check.
///
/// A child of a fork has none until its own exchange.
#[derive(Default)]
pub(super) struct PeerMemory(PerProcess<Mutex<Option<View>>>);

/// How the peers see a shared check.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    reaching: u32,
    /// Not zero.
    of: u32,
    /// When the exchange began.
    asked_at: Instant,
    lifetime: Duration,
    delay: Duration,
    /// The start of the first of the exchanges in a row in which most peers reached the dependency.
    majority_since: Option<Instant>,
}

impl PeerMemory {
    /// The view that counts at `now`. One from before the process `resumed` after a standstill does not.
    pub(super) fn view(&self, now: Instant, resumed: Option<Instant>) -> Option<View> {
        let view = (*lock(self.0.get()?))?;
        let is_from_before = resumed.is_some_and(|resumed| resumed > view.asked_at);
        (!is_from_before && !view.is_outdated(now)).then_some(view)
    }

    /// Replaces the view by that of the last exchange.
    fn replace(&self, view: Option<View>) {
        let mut memory = lock(self.0.get_or_make(Mutex::default));
        let former = memory.take();
        *memory = view.map(|view| view.after(former));
    }
}

impl View {
    fn of(view: &PeerView, found: &Found) -> Option<Self> {
        (view.of > 0).then(|| Self {
            reaching: view.reaching,
            of: view.of,
            asked_at: found.asked_at,
            lifetime: found.lifetime,
            delay: found.delay,
            majority_since: (view.reaching > view.of / 2).then_some(found.asked_at),
        })
    }

    /// A majority lasts since the `former` view, if it was one then.
    fn after(mut self, former: Option<Self>) -> Self {
        let former = former.filter(|former| !former.is_outdated(self.asked_at));
        let since = former.and_then(|former| former.majority_since);
        self.majority_since = self.majority_since.map(|now| since.unwrap_or(now));
        self
    }

    /// How long a result of a check without a period is recent.
    pub(super) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    fn is_outdated(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.asked_at) > self.lifetime
    }

    /// Whether most peers reach what this host has not reached since `since`, and both have lasted for `notice_time`.
    pub(super) fn is_confirmed(&self, since: Instant, notice_time: Duration) -> bool {
        let since = self.majority_since.map(|majority_since| majority_since.max(since));
        let confirmed = since.and_then(|since| after(since, notice_time));
        confirmed.is_some_and(|confirmed| self.asked_at >= confirmed)
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} peers reach it", self.reaching, self.of)
    }
}

impl RegisteredCheck {
    /// The time after which this host knows what a peer with the same settings has found out: as many periods as the
    /// check has a threshold, its timeout, and the delay of the exchange, each of them a tenth longer because periods are.
    pub(super) fn notice_time(&self, view: &View) -> Duration {
        // Without a period, an older result is no opinion.
        let period = self.longest_period().unwrap_or(view.lifetime);
        let results = self.thresholds.failures.max(self.thresholds.successes);
        let time = period
            .saturating_mul(results)
            .saturating_add(self.info.timeout)
            .saturating_add(view.delay);
        // A peer that has stopped with the dependency has an opinion until what it has published expires.
        let time = time.max(view.lifetime);
        time.saturating_add(time / 10)
    }

    fn longest_period(&self) -> Option<Duration> {
        self.info.period.max(self.failing_period)
    }
}

/// Exchanges views with the peers, for `check`. They count once [`accept`] is called.
pub(super) async fn exchange(
    check: &RegisteredCheck,
    exchange: &PeerExchange,
    run: &Run,
    start: Instant,
) -> Vec<Report> {
    exchange.replace_found(None);
    let period = check.longest_period().unwrap_or_default();
    let lifetime = period.saturating_mul(STALE_AFTER);
    let own = own_views(run, start, lifetime);
    let peers = exchange.peers.clone();
    let asked = Box::pin(async move {
        // The error is dropped here, where a panic is caught.
        peers.exchange(&own).await.map_err(CheckResult::error)
    });
    let result = match poll_in_time(check, run, start, || asked).await {
        Polled::Ready(Ok(views)) => {
            let (views, mistake) = sorted(views, &run.engine.checks);
            let delay = period.saturating_add(check.info.timeout);
            exchange.replace_found(Some(Found { asked_at: start, lifetime, delay, views }));
            mistake.map_or_else(CheckResult::ok, CheckResult::error)
        }
        Polled::Ready(Err(failure)) => failure,
        Polled::Panicked(panicked) => return vec![panic_report(&check.info.name, &panicked)],
        Polled::TimedOut | Polled::Late => return vec![run.budget(check, start).timed_out(check)],
    };
    vec![Report::of(&check.info.name, result)]
}

/// How this host sees its shared checks.
fn own_views(run: &Run, now: Instant, lifetime: Duration) -> Vec<OwnView> {
    let resumed = run.clock.resumed();
    let view = |check: &Arc<RegisteredCheck>| {
        let is_reached = check.is_reached(now, resumed, lifetime)?;
        Some(OwnView::new(check.info.name.clone(), is_reached))
    };
    run.engine.checks.iter().filter(|check| check.info.is_shared).filter_map(view).collect()
}

/// The views by check, without those that cannot be, and what is wrong with the first of those.
fn sorted(views: Vec<PeerView>, checks: &[Arc<RegisteredCheck>]) -> (PeerViews, Option<String>) {
    let mut sorted = PeerViews::new();
    let mut repeated = Vec::new();
    let mut mistake = None;
    for view in views {
        let check = checks.iter().find(|check| *check.info.name == *view.check);
        if !check.is_some_and(|check| check.info.is_shared) || view.reaching > view.of {
            mistake.get_or_insert_with(|| mistake_in(&view, check));
        } else if let Some(former) = sorted.insert(view.check.clone(), view) {
            mistake.get_or_insert_with(|| format!("two views are of the check {:?}", former.check));
            repeated.push(former.check);
        }
    }
    for name in repeated {
        sorted.remove(&name);
    }
    (sorted, mistake)
}

/// What is wrong with a view of `check`.
fn mistake_in(view: &PeerView, check: Option<&Arc<RegisteredCheck>>) -> String {
    let PeerView { check: name, reaching, of } = view;
    match check {
        None => format!("a view names the check {name:?}, which is not registered"),
        Some(check) if !check.info.is_shared => {
            format!("a view names the check {name:?}, which is not shared")
        }
        Some(_) => format!("a view says that {reaching} of {of} peers reach {name:?}"),
    }
}

/// After an execution of `check` that exchanges views with the peers: what it has found counts from now on, and nothing
/// if it has found nothing.
pub(super) fn accept(check: &RegisteredCheck, checks: &[Arc<RegisteredCheck>]) {
    let Work::Peers(exchange) = &check.work else {
        return;
    };
    let found = exchange.replace_found(None);
    for shared in checks.iter().filter(|check| check.info.is_shared) {
        let view =
            found.as_ref().and_then(|found| View::of(found.views.get(&*shared.info.name)?, found));
        shared.peers.replace(view);
    }
}
