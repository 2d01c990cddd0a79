//! Times of day, as documents show them.

use std::time::SystemTime;

/// A time in RFC 3339 with milliseconds, in UTC: `2026-11-27T03:04:05.678Z`.
pub(super) fn rfc_3339(time: SystemTime) -> String {
    // A time that jiff cannot show is thousands of years away: the clock is wrong.
    let time = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::rfc_3339;

    #[test]
    fn a_time_has_milliseconds_and_is_in_utc() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_748_645_678);
        assert_eq!(rfc_3339(time), "2026-11-27T03:04:05.678Z");
        assert_eq!(rfc_3339(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_time_that_no_calendar_has_is_shown_as_the_epoch() {
        let far = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::MAX / 4));
        assert!(far.is_none_or(|far| rfc_3339(far).starts_with("1970")));
    }
}
