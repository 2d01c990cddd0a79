//! The pollers of the endpoints, and whether each has noticed the drain (H27).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::endpoint::Poller;
use crate::runtime::sync::{Mutex, lock, try_lock};

/// How many pollers are remembered.
const CAPACITY: usize = 64;

/// The time that a poller has to act on the last draining response that it needed.
const REACTION: Duration = Duration::from_secs(1);

/// The period of a client that has asked only once: the default of Kubernetes. Of other clients, two periods count.
const UNKNOWN_PERIOD: Duration = Duration::from_secs(10);

/// The latest pollers.
#[derive(Debug, Default)]
pub(crate) struct Pollers {
    seen: Mutex<Vec<Seen>>,
    /// How often each has to be told; of several drains, the most.
    failure_threshold: AtomicU32,
}

#[derive(Debug)]
struct Seen {
    path: Arc<str>,
    address: Option<IpAddr>,
    agent: Box<[u8]>,
    last: Instant,
    /// The longer of the last two times between polls.
    period: Option<Duration>,
    previous: Duration,
    told: u32,
    /// When it was last told, of as many times as it has to be.
    last_told: Option<Instant>,
}

impl Pollers {
    /// A drain ends when each was told so often.
    pub(crate) fn expect(&self, failure_threshold: u32) {
        self.failure_threshold.fetch_max(failure_threshold, Ordering::Relaxed);
    }

    /// Remembers a poll of the endpoint at `path`, which got the draining response if `is_told`.
    ///
    /// A poll at the same moment as another may be missed: the child of a fork must not wait for the lock of its
    /// parent. Then the poller has to be told once more.
    pub(crate) fn remember(
        &self,
        path: &Arc<str>,
        poller: &Poller<'_>,
        now: Instant,
        is_told: bool,
    ) {
        let Some(mut pollers) = try_lock(&self.seen) else {
            return;
        };
        let known = pollers.iter_mut().find(|seen| seen.is(path, poller));
        let seen = match known {
            Some(seen) => {
                let gap = now.saturating_duration_since(seen.last);
                seen.period = Some(gap.max(seen.previous));
                seen.previous = gap;
                seen.last = now;
                seen
            }
            None => {
                if pollers.len() >= CAPACITY {
                    forget_one(&mut pollers, now);
                }
                pollers.push(Seen::new(path, poller, now));
                let Some(seen) = pollers.last_mut() else {
                    return;
                };
                seen
            }
        };
        if is_told {
            seen.told = seen.told.saturating_add(1);
            if seen.told <= self.failure_threshold.load(Ordering::Relaxed) {
                seen.last_told = Some(now);
            }
        }
    }

    /// Whether each poller has noticed the drain, or is gone.
    pub(crate) fn have_noticed(&self, failure_threshold: u32, now: Instant) -> bool {
        lock(&self.seen).iter().all(|seen| !seen.is_waited_for(failure_threshold, now))
    }

    /// The pollers that have not noticed the drain yet, in words.
    pub(crate) fn waited_for(&self, failure_threshold: u32, now: Instant) -> Vec<String> {
        lock(&self.seen)
            .iter()
            .filter(|seen| seen.is_waited_for(failure_threshold, now))
            .map(|seen| format!("{seen}, told {} of {failure_threshold} times", seen.told))
            .collect()
    }

    /// How many have noticed.
    pub(crate) fn told(&self, failure_threshold: u32) -> usize {
        lock(&self.seen).iter().filter(|seen| seen.told >= failure_threshold).count()
    }
}

/// Forgets one that is gone, or one that has asked only once, because a client that sends each request with another
/// `User-Agent` must not push out a poller. Of several, the one whose last poll is the longest ago.
fn forget_one(pollers: &mut Vec<Seen>, now: Instant) {
    let oldest = pollers
        .iter()
        .enumerate()
        .min_by_key(|(_, seen)| (!seen.is_gone(now), seen.period.is_some(), seen.last))
        .map(|(index, _)| index);
    if let Some(oldest) = oldest {
        pollers.swap_remove(oldest);
    }
}

impl Seen {
    fn new(path: &Arc<str>, poller: &Poller<'_>, now: Instant) -> Self {
        Self {
            path: path.clone(),
            address: poller.address,
            agent: poller.agent().into(),
            last: now,
            period: None,
            previous: Duration::ZERO,
            told: 0,
            last_told: None,
        }
    }

    fn is(&self, path: &str, poller: &Poller<'_>) -> bool {
        *self.path == *path && self.address == poller.address && *self.agent == *poller.agent()
    }

    fn is_waited_for(&self, failure_threshold: u32, now: Instant) -> bool {
        !self.has_noticed(failure_threshold, now) && !self.is_gone(now)
    }

    fn has_noticed(&self, failure_threshold: u32, now: Instant) -> bool {
        self.told >= failure_threshold
            && self.last_told.is_some_and(|told| now.saturating_duration_since(told) >= REACTION)
    }

    /// It has missed two polls.
    fn is_gone(&self, now: Instant) -> bool {
        let silent = now.saturating_duration_since(self.last);
        let patience = self.period.map_or(UNKNOWN_PERIOD, |period| period.saturating_mul(2));
        silent > patience.saturating_add(REACTION)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.agent.escape_ascii())?;
        if self.agent.is_empty() {
            f.write_str("a client without User-Agent")?;
        }
        if let Some(address) = self.address {
            write!(f, " at {address}")?;
        }
        write!(f, " on {}", self.path)
    }
}
