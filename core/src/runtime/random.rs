//! Random durations, so that hosts do not act at the same time.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// A random part of `duration`, evenly distributed between these two parts of it.
pub(crate) fn part_of(duration: Duration, parts: RangeInclusive<f64>) -> Duration {
    // The seed of a hash map is the only random number in the standard library. Children of a fork have the same seed.
    let own = (std::process::id(), Instant::now());
    // From 0 to 1.
    let chance = f64::from(RandomState::new().hash_one(own) as u32) / f64::from(u32::MAX);
    let part = parts.start() + (parts.end() - parts.start()) * chance;
    Duration::try_from_secs_f64(duration.as_secs_f64() * part).unwrap_or(duration)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::part_of;

    #[test]
    fn parts_are_distributed_evenly_between_their_bounds() {
        let second = Duration::from_secs(1);
        let (mut below, mut above) = (0, 0);
        for _ in 0..1000 {
            let part = part_of(second, 0.5..=1.5);
            assert!((second / 2..=3 * second / 2).contains(&part), "{part:?}");
            if part < second { below += 1 } else { above += 1 }
        }
        // Six standard deviations.
        assert!(below > 400 && above > 400, "{below} and {above}");
    }

    #[test]
    fn no_duration_is_too_long_or_too_short() {
        assert!(part_of(Duration::MAX, 0.9..=1.1) > Duration::MAX / 2);
        assert_eq!(part_of(Duration::ZERO, 0.1..=1.0), Duration::ZERO);
    }
}
