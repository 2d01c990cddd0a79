//! The clock of the system, as far as the kernel knows its error.

use std::io;
use std::time::Duration;

use health_core::{Check, CheckResult, Unit};

use crate::failure::{failure, misconfigured};
use crate::limits::Limits;
use crate::{Class, reason};

/// What the kernel knows of the clock, which a time daemon such as chrony, ntpd or systemd-timesyncd tells it: adjtimex(2).
///
/// If no daemon has corrected the clock for some time, the kernel says that it is not synchronized, and the result is
/// degraded. The limits are for the maximum error: the kernel counts it up between corrections.
///
/// | | |
/// |---|---|
/// | class | local |
/// | timeout | that of the check |
/// | reasons | `unsynchronized` (degraded), `above_limit`, `misconfigured`; `unsupported` on other systems than Linux, which is degraded |
/// | values | `offset` that is still to be corrected, without its sign, and `max_error`, both in seconds. A daemon that sets the speed of the clock itself, such as chrony, leaves the offset at 0 |
/// | permissions | none; a sandbox may forbid the call |
/// | does not prove | that the time is right: the kernel believes its daemon |
pub fn clock_offset() -> ClockOffset {
    ClockOffset { read, limits: Limits::default(), class: Class::Local }
}

/// See [`clock_offset`].
#[derive(Debug)]
#[must_use = "an indicator does nothing until its check is registered"]
pub struct ClockOffset {
    read: fn() -> io::Result<Reading>,
    limits: Limits,
    class: Class,
}

/// What the kernel says, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reading {
    is_synchronized: bool,
    offset: f64,
    max_error: f64,
}

impl ClockOffset {
    /// A clock whose maximum error is larger is degraded. Default: none.
    pub fn degraded_above(mut self, error: Duration) -> Self {
        self.limits.degraded_above = Some(error.as_secs_f64());
        self
    }

    /// A clock whose maximum error is larger is an error. Default: none.
    pub fn failing_above(mut self, error: Duration) -> Self {
        self.limits.failing_above = Some(error.as_secs_f64());
        self
    }

    /// What a failure means. Default: [`Class::Local`].
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The check of this name. It runs on the threads for blocking code.
    pub fn check(self, name: impl Into<String>) -> Check {
        let class = self.class;
        class.apply(Check::blocking(name, move || self.result()))
    }

    fn result(&self) -> CheckResult {
        if let Err(contradiction) = self.limits.validate() {
            return misconfigured(contradiction);
        }
        let reading = match (self.read)() {
            Ok(reading) => reading,
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                return CheckResult::degraded(error).reason(reason::UNSUPPORTED);
            }
            Err(error) => return failure(&error, |_| None),
        };
        let Reading { is_synchronized, offset, max_error } = reading;
        let exceeded = self.limits.exceeded("max_error", max_error, Unit::Seconds).is_some();
        let result = if is_synchronized || exceeded {
            self.limits.result("max_error", max_error, Unit::Seconds)
        } else {
            CheckResult::degraded("no daemon has corrected the clock for some time")
                .reason(reason::UNSYNCHRONIZED)
                .value("max_error", max_error, Unit::Seconds)
        };
        result.value("offset", offset, Unit::Seconds)
    }
}

#[cfg(target_os = "linux")]
fn read() -> io::Result<Reading> {
    /// `STA_UNSYNC` and `STA_NANO` of `linux/timex.h`.
    const UNSYNCHRONIZED: i32 = 0x40;
    const NANOSECONDS: i32 = 0x2000;
    // Its modes are 0: the call only reads.
    let mut timex = rtime_clock::adjtime::Timex::default();
    rtime_clock::adjtime::adjtimex(&mut timex)?;
    let unit = if timex.0.status & NANOSECONDS == 0 { 1e-6 } else { 1e-9 };
    Ok(Reading {
        is_synchronized: timex.0.status & UNSYNCHRONIZED == 0,
        offset: (timex.0.offset as f64 * unit).abs(),
        max_error: timex.0.maxerror as f64 * 1e-6,
    })
}

#[cfg(not(target_os = "linux"))]
fn read() -> io::Result<Reading> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use health_core::Report;

    use super::{ClockOffset, Reading, clock_offset};

    const SYNCHRONIZED: Reading = Reading { is_synchronized: true, offset: 0.002, max_error: 0.25 };

    fn report(clock: &ClockOffset) -> (String, Option<String>, Vec<f64>) {
        let report = Report::of("clock", clock.result());
        let values = report.values().iter().map(health_core::Value::number).collect();
        (report.status().to_string(), report.reason().map(str::to_owned), values)
    }

    #[test]
    fn a_clock_is_as_good_as_its_maximum_error() {
        let clock = |read: fn() -> io::Result<Reading>| ClockOffset { read, ..clock_offset() };
        let exact = clock(|| Ok(SYNCHRONIZED));
        assert_eq!(report(&exact), ("OK".to_owned(), None, vec![0.25, 0.002]));
        let degraded = exact.degraded_above(Duration::from_millis(249));
        let reason = Some("above_limit".to_owned());
        assert_eq!(report(&degraded), ("DEGRADED".to_owned(), reason.clone(), vec![0.25, 0.002]));
        let failing = degraded.failing_above(Duration::from_millis(249));
        assert_eq!(report(&failing).0, "ERROR");

        let free = clock(|| Ok(Reading { is_synchronized: false, offset: 0.0, max_error: 16.0 }));
        let unsynchronized = Some("unsynchronized".to_owned());
        assert_eq!(report(&free), ("DEGRADED".to_owned(), unsynchronized, vec![16.0, 0.0]));
        let free = free.failing_above(Duration::from_secs(15));
        assert_eq!(report(&free), ("ERROR".to_owned(), reason, vec![16.0, 0.0]));
    }

    #[test]
    fn a_system_that_does_not_tell_and_limits_that_contradict_each_other_are_told() {
        let unsupported =
            ClockOffset { read: || Err(io::ErrorKind::Unsupported.into()), ..clock_offset() };
        assert_eq!(report(&unsupported).1.as_deref(), Some("unsupported"));
        let denied =
            ClockOffset { read: || Err(io::ErrorKind::PermissionDenied.into()), ..clock_offset() };
        assert_eq!(report(&denied).1.as_deref(), Some("unauthorized"));
        let second = Duration::from_secs(1);
        let contradiction = clock_offset().degraded_above(2 * second).failing_above(second);
        assert_eq!(report(&contradiction).1.as_deref(), Some("misconfigured"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_tells() {
        let reading = (clock_offset().read)().unwrap();
        assert!(reading.offset >= 0.0 && reading.max_error >= 0.0, "{reading:?}");
    }
}
