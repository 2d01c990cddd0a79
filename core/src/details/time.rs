//! Times of day, as documents show them.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

/// A time in RFC 3339 with milliseconds, in UTC: `2026-11-27T03:04:05.678Z`.
pub(super) fn rfc_3339(time: SystemTime) -> String {
    // A time that jiff cannot show is thousands of years away: the clock is wrong.
    let time = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

/// Times of one document. Most of them are of a few seconds, and the calendar is asked once for each of these.
#[derive(Default)]
pub(super) struct Times(RefCell<Option<(u64, String)>>);

impl Times {
    /// As [`rfc_3339`] shows it.
    pub(super) fn show(&self, time: SystemTime) -> String {
        let Ok(since_epoch) = time.duration_since(SystemTime::UNIX_EPOCH) else {
            return rfc_3339(time);
        };
        let second = since_epoch.as_secs();
        let mut latest = self.0.borrow_mut();
        if latest.as_ref().is_none_or(|(other, _)| *other != second) {
            let mut whole = rfc_3339(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
            // `.000Z`
            whole.truncate(whole.len() - 5);
            *latest = Some((second, whole));
        }
        let whole = latest.as_ref().map_or("", |(_, whole)| whole);
        let milliseconds = since_epoch.subsec_millis();
        let digit = |unit: u32| char::from(b'0' + ((milliseconds / unit) % 10) as u8);
        let mut text = String::with_capacity(whole.len() + 5);
        text.push_str(whole);
        text.extend(['.', digit(100), digit(10), digit(1), 'Z']);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{Times, rfc_3339};

    #[test]
    fn times_of_a_document_are_shown_as_single_ones() {
        let times = Times::default();
        for milliseconds in
            [0, 1, 999, 1000, 1_795_748_645_678, 1_795_748_645_679, 1_795_748_646_000]
        {
            let time = SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds);
            assert_eq!(times.show(time), rfc_3339(time));
            let finer = time + Duration::from_nanos(999_999);
            assert_eq!(times.show(finer), rfc_3339(finer));
        }
        let before = SystemTime::UNIX_EPOCH - Duration::from_millis(1);
        assert_eq!(times.show(before), rfc_3339(before));
    }

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
