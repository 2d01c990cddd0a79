//! The side of the check: it remembers which beat it saw last, and when.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::{Heartbeat, Pulse};
use crate::check::{CheckResult, Unit};
use crate::runtime::sync::{Mutex, lock};
use crate::text::Rounded;

/// See the [module's doc](self). It does not keep the heartbeat alive.
pub(crate) struct BeatReader {
    pub(crate) expiry: Duration,
    pulse: Weak<Pulse>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The number of beats at the last look.
    beats: usize,
    /// The look that found the last beat; `None` before the first beat.
    beat_at: Option<Instant>,
    /// The look that first found each guard that is held.
    busy_since: BTreeMap<u64, Instant>,
}

/// Why a heartbeat fails.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Silence {
    #[error("not started yet: the worker has not called Heartbeat::beat")]
    NotStarted,
    #[error("expired: no beat for {}, and the expiry is {}", Rounded(*.age), Rounded(*.expiry))]
    Expired { age: Duration, expiry: Duration },
    #[error("expired: busy for {}, and the limit is {}", Rounded(*.age), Rounded(*.limit))]
    Overrun { age: Duration, limit: Duration },
    #[error("dropped: no handle is left, because the worker ended or panicked")]
    Dropped,
}

impl Silence {
    /// The failure of the check.
    pub(crate) fn result(&self) -> CheckResult {
        let (reason, age) = match self {
            Self::NotStarted => ("not_started", None),
            Self::Expired { age, .. } | Self::Overrun { age, .. } => ("expired", Some(age)),
            Self::Dropped => ("dropped", None),
        };
        let result = CheckResult::failure(reason, self);
        match age {
            Some(age) => result.value("age", age.as_secs_f64(), Unit::Seconds),
            None => result,
        }
    }
}

impl BeatReader {
    pub(super) fn of(heartbeat: &Heartbeat) -> Self {
        let pulse = Arc::downgrade(&heartbeat.0);
        Self { expiry: heartbeat.0.expiry, pulse, seen: Mutex::default() }
    }

    /// Looks for beats since the last look. A standstill of the process, which `resumed` then, does not count.
    pub(crate) fn look(&self, now: Instant, resumed: Option<Instant>) -> Result<(), Silence> {
        let pulse = self.pulse.upgrade().ok_or(Silence::Dropped)?;
        let mut seen = lock(&self.seen);
        // The guards first: if one was dropped since, its beat is found below.
        let limits = lock(&pulse.long_work).limits.clone();
        let beats = pulse.beats.load(Ordering::Relaxed);
        if beats != seen.beats {
            seen.beats = beats;
            seen.beat_at = Some(now);
        }
        seen.busy_since.retain(|number, _| limits.contains_key(number));
        for number in limits.keys() {
            seen.busy_since.entry(*number).or_insert(now);
        }

        let age = |since: &Instant| {
            let since = resumed.map_or(*since, |resumed| resumed.max(*since));
            now.saturating_duration_since(since)
        };
        if !limits.is_empty() {
            let busy = seen.busy_since.values().zip(limits.into_values());
            let mut overruns = busy.map(|(since, limit)| (age(since), limit));
            return match overruns.find(|(age, limit)| age > limit) {
                Some((age, limit)) => Err(Silence::Overrun { age, limit }),
                None => Ok(()),
            };
        }
        match seen.beat_at.as_ref().map(age) {
            None => Err(Silence::NotStarted),
            Some(age) if age > self.expiry => Err(Silence::Expired { age, expiry: self.expiry }),
            Some(_) => Ok(()),
        }
    }

    /// The number of beats at the last look.
    #[cfg(all(test, health_loom))]
    pub(super) fn beats_seen(&self) -> usize {
        lock(&self.seen).beats
    }
}

#[cfg(all(test, not(health_loom)))]
mod tests {
    use std::time::{Duration, Instant};

    use super::{BeatReader, Silence};
    use crate::check::Heartbeat;

    const SECOND: Duration = Duration::from_secs(1);
    const MILLISECOND: Duration = Duration::from_millis(1);
    const EXPIRY: Duration = Duration::from_secs(30);

    fn started() -> (Heartbeat, BeatReader) {
        let heartbeat = Heartbeat::new("worker", EXPIRY);
        let reader = BeatReader::of(&heartbeat);
        (heartbeat, reader)
    }

    #[test]
    fn a_heartbeat_fails_until_the_first_beat_and_expires_after_the_last() {
        let (heartbeat, reader) = started();
        let start = Instant::now();
        assert_eq!(reader.look(start, None), Err(Silence::NotStarted));
        assert_eq!(reader.look(start + 10 * EXPIRY, None), Err(Silence::NotStarted));
        heartbeat.beat();
        let start = start + 20 * EXPIRY;
        assert_eq!(reader.look(start, None), Ok(()));
        assert_eq!(reader.look(start + EXPIRY, None), Ok(()));
        let age = EXPIRY + MILLISECOND;
        let expired = Err(Silence::Expired { age, expiry: EXPIRY });
        assert_eq!(reader.look(start + age, None), expired);
        heartbeat.clone().beat();
        assert_eq!(reader.look(start + 10 * EXPIRY, None), Ok(()));
    }

    #[test]
    fn a_guard_replaces_the_expiry_by_its_limit_and_ends_with_a_beat() {
        for limit in [5 * SECOND, 600 * SECOND] {
            let (heartbeat, reader) = started();
            let start = Instant::now();
            let busy = heartbeat.busy(limit);
            assert_eq!(reader.look(start, None), Ok(()));
            assert_eq!(reader.look(start + limit, None), Ok(()));
            let age = limit + MILLISECOND;
            let overrun = || Err(Silence::Overrun { age, limit });
            assert_eq!(reader.look(start + age, None), overrun());
            heartbeat.beat();
            assert_eq!(reader.look(start + age, None), overrun());
            drop(busy);
            assert_eq!(reader.look(start + age, None), Ok(()));
            assert_eq!(reader.look(start + age + EXPIRY, None), Ok(()));
            assert!(reader.look(start + age + EXPIRY + MILLISECOND, None).is_err());
        }
    }

    #[test]
    fn a_guard_between_two_looks_counts_as_a_beat() {
        let (heartbeat, reader) = started();
        let start = Instant::now();
        drop(heartbeat.busy(Duration::ZERO));
        assert_eq!(reader.look(start, None), Ok(()));
        drop(heartbeat.busy(Duration::ZERO));
        assert_eq!(reader.look(start + 2 * EXPIRY, None), Ok(()));
    }

    #[test]
    fn of_two_guards_the_one_beyond_its_limit_counts() {
        let (heartbeat, reader) = started();
        let start = Instant::now();
        let _endless = heartbeat.busy(Duration::MAX);
        let short = heartbeat.busy(SECOND);
        assert_eq!(reader.look(start, None), Ok(()));
        let overrun = Silence::Overrun { age: 2 * SECOND, limit: SECOND };
        assert_eq!(reader.look(start + 2 * SECOND, None), Err(overrun));
        drop(short);
        assert_eq!(reader.look(start + 1000 * EXPIRY, None), Ok(()));
    }

    #[test]
    fn a_heartbeat_is_dropped_with_its_last_handle_and_guard() {
        let (heartbeat, reader) = started();
        let start = Instant::now();
        heartbeat.beat();
        let other = heartbeat.clone();
        drop(heartbeat);
        let busy = other.busy(SECOND);
        drop(other);
        assert_eq!(reader.look(start, None), Ok(()));
        drop(busy);
        assert_eq!(reader.look(start, None), Err(Silence::Dropped));
    }

    #[test]
    fn after_a_standstill_a_worker_has_its_expiry_and_a_guard_its_limit_again() {
        let (heartbeat, reader) = started();
        let start = Instant::now();
        heartbeat.beat();
        assert_eq!(reader.look(start, None), Ok(()));
        let resumed = start + 100 * EXPIRY;
        assert_eq!(reader.look(resumed, Some(resumed)), Ok(()));
        assert_eq!(reader.look(resumed + EXPIRY, Some(resumed)), Ok(()));
        assert!(reader.look(resumed + EXPIRY + MILLISECOND, Some(resumed)).is_err());

        let _busy = heartbeat.busy(SECOND);
        let start = resumed + EXPIRY;
        assert_eq!(reader.look(start, Some(resumed)), Ok(()));
        let resumed = start + EXPIRY;
        assert_eq!(reader.look(resumed + SECOND, Some(resumed)), Ok(()));
        assert!(reader.look(resumed + SECOND + MILLISECOND, Some(resumed)).is_err());
    }
}
