//! Times, durations and values as people read them.

use std::fmt;
use std::time::{Duration, SystemTime};

use maud::Render;

use super::super::time::rfc_3339;
use crate::check::{Unit, Value};

/// Writes `Display` output that needs no escape.
macro_rules! render_as_displayed {
    ($($type:ty),+) => {$(
        impl Render for $type {
            fn render_to(&self, out: &mut String) {
                use std::fmt::Write as _;
                // Writing into a string does not fail.
                let _ = write!(out, "{self}");
            }
        }
    )+};
}
render_as_displayed!(Lasting, Age, Clock, Number<'_>);

/// A duration in one or two units, rounded down.
#[derive(Clone, Copy)]
pub(super) struct Lasting(pub(super) Duration);

impl Lasting {
    /// In whole seconds.
    pub(super) fn whole(duration: Duration) -> Self {
        Self(Duration::from_secs(duration.as_secs()))
    }

    /// In whole seconds; zero if the clock was set back in between.
    pub(super) fn between(start: SystemTime, end: SystemTime) -> Self {
        Self::whole(end.duration_since(start).unwrap_or_default())
    }
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let micros = self.0.as_micros();
        match seconds {
            _ if micros < 1_000 && micros > 0 => write!(f, "{micros} µs"),
            0 if micros == 0 => f.write_str("0 s"),
            0 => tenths(f, micros / 100, "ms"),
            1..60 => tenths(f, micros / 100_000, "s"),
            60..3_600 => two(f, seconds / 60, "min", seconds % 60, "s"),
            3_600..86_400 => two(f, seconds / 3_600, "h", seconds / 60 % 60, "min"),
            _ => two(f, seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
        }
    }
}

/// With one decimal below ten.
fn tenths(f: &mut fmt::Formatter<'_>, tenths: u128, unit: &str) -> fmt::Result {
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if whole < 10 && tenth > 0 {
        write!(f, "{whole}.{tenth} {unit}")
    } else {
        write!(f, "{whole} {unit}")
    }
}

fn two(
    f: &mut fmt::Formatter<'_>,
    large: u64,
    large_unit: &str,
    small: u64,
    small_unit: &str,
) -> fmt::Result {
    match small {
        0 => write!(f, "{large} {large_unit}"),
        _ => write!(f, "{large} {large_unit} {small} {small_unit}"),
    }
}

/// How long ago something was.
pub(super) struct Age(Lasting);

impl Age {
    pub(super) fn of(time: SystemTime, now: SystemTime) -> Self {
        Self(Lasting::between(time, now))
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.0.is_zero() { f.write_str("just now") } else { write!(f, "{} ago", self.0) }
    }
}

/// A time of day in UTC; with the date, if it is not that of `now`.
pub(super) struct Clock {
    pub(super) time: SystemTime,
    pub(super) now: SystemTime,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: u64 = 86_400;
        let seconds = |time: SystemTime| {
            time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
        };
        let (time, now) = (seconds(self.time), seconds(self.now));
        if time / DAY != now / DAY {
            write!(f, "{} ", date(self.time))?;
        }
        let time = time % DAY;
        write!(f, "{:02}:{:02}:{:02} UTC", time / 3_600, time / 60 % 60, time % 60)
    }
}

/// The date in UTC: `2026-11-27`.
pub(super) fn date(time: SystemTime) -> String {
    let time = rfc_3339(time);
    time.split('T').next().unwrap_or_default().to_owned()
}

/// A value with its unit.
pub(super) struct Number<'a>(pub(super) &'a Value);

impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0.number();
        match self.0.unit() {
            Unit::Count => write!(f, "{}", Short(number)),
            Unit::Ratio => write!(f, "{} %", Short(number * 100.0)),
            Unit::Seconds => match Duration::try_from_secs_f64(number) {
                Ok(duration) => write!(f, "{}", Lasting(duration)),
                Err(_) => write!(f, "{} s", Short(number)),
            },
            Unit::Bytes => bytes(f, number),
        }
    }
}

fn bytes(f: &mut fmt::Formatter<'_>, mut number: f64) -> fmt::Result {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while number.abs() >= 1024.0 {
        let Some(next) = units.next() else { break };
        number /= 1024.0;
        unit = Some(next);
    }
    let number = if number.abs() < 1e6 { (number * 10.0).round() / 10.0 } else { number };
    write!(f, "{} {}", Short(number), unit.unwrap_or(&""))
}

/// A number with at most three decimals; a power of ten if it is very large or small.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if size >= 1e15 || (size > 0.0 && size < 0.001) {
            write!(f, "{:.3e}", self.0)
        } else {
            write!(f, "{}", (self.0 * 1000.0).round() / 1000.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{Age, Clock, Lasting, Number};
    use crate::check::{CheckResult, Report, Unit};

    #[test]
    fn a_duration_has_the_units_that_matter() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.000_000_2, "0 s"),
            (0.000_412, "412 µs"),
            (0.001, "1 ms"),
            (0.002_19, "2.1 ms"),
            (0.0123, "12 ms"),
            (0.999_9, "999 ms"),
            (1.0, "1 s"),
            (5.06, "5 s"),
            (9.99, "9.9 s"),
            (59.9, "59 s"),
            (60.0, "1 min"),
            (3_599.0, "59 min 59 s"),
            (3_600.0, "1 h"),
            (10_920.0, "3 h 2 min"),
            (86_399.0, "23 h 59 min"),
            (90_000.0, "1 d 1 h"),
            (1e18, "11574074074074 d 1 h"),
        ] {
            assert_eq!(Lasting(Duration::from_secs_f64(seconds)).to_string(), text, "{seconds}");
        }
    }

    #[test]
    fn a_time_of_another_day_has_its_date() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let clock = |time, now| Clock { time: at(time), now: at(now) }.to_string();
        assert_eq!(clock(1_795_748_645, 1_795_748_650), "03:04:05 UTC");
        assert_eq!(clock(1_795_737_599, 1_795_737_600), "2026-11-26 23:59:59 UTC");
        assert_eq!(Age::of(at(5), at(5)).to_string(), "just now");
        assert_eq!(Age::of(at(5), at(7)).to_string(), "2 s ago");
        assert_eq!(Age::of(at(7), at(5)).to_string(), "just now");
    }

    #[test]
    fn a_value_has_its_unit() {
        for (number, unit, text) in [
            (0.0, Unit::Count, "0"),
            (-12.5, Unit::Count, "-12.5"),
            (1.0 / 3.0, Unit::Count, "0.333"),
            (1e300, Unit::Count, "1.000e300"),
            (0.000_012_34, Unit::Count, "1.234e-5"),
            (0.853, Unit::Ratio, "85.3 %"),
            (1.0, Unit::Ratio, "100 %"),
            (512.0, Unit::Bytes, "512 B"),
            (1_610_612_736.0, Unit::Bytes, "1.5 GiB"),
            (-2048.0, Unit::Bytes, "-2 KiB"),
            (1e300, Unit::Bytes, "8.882e284 PiB"),
            (0.0021, Unit::Seconds, "2.1 ms"),
            (1_209_600.0, Unit::Seconds, "14 d"),
            (-1.0, Unit::Seconds, "-1 s"),
            (1e300, Unit::Seconds, "1.000e300 s"),
        ] {
            let report = Report::of("name", CheckResult::ok().value("name", number, unit));
            assert_eq!(Number(&report.values()[0]).to_string(), text);
        }
    }
}
