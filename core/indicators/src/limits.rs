//! The limits of a number.

use std::fmt;

use health_core::{CheckResult, Unit};

use crate::reason;

/// From which number on a result is degraded, and from which it is an error.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) degraded_above: Option<f64>,
    pub(crate) failing_above: Option<f64>,
    pub(crate) degraded_below: Option<f64>,
    pub(crate) failing_below: Option<f64>,
}

/// Why limits cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contradiction(pub(crate) &'static str);

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Limits {
    /// An error if no number, or no order of numbers, fits them.
    pub(crate) fn validate(&self) -> Result<(), Contradiction> {
        let Self { degraded_above, failing_above, degraded_below, failing_below } = *self;
        if [degraded_above, failing_above, degraded_below, failing_below]
            .into_iter()
            .flatten()
            .any(f64::is_nan)
        {
            return Err(Contradiction("a limit is not a number"));
        }
        let is_over = |low: Option<f64>, high: Option<f64>| {
            low.zip(high).is_some_and(|(low, high)| low > high)
        };
        if is_over(degraded_above, failing_above) {
            return Err(Contradiction("the limit for degraded is above the one for failing"));
        }
        if is_over(failing_below, degraded_below) {
            return Err(Contradiction("the limit for degraded is below the one for failing"));
        }
        if is_over(degraded_below.or(failing_below), degraded_above.or(failing_above)) {
            return Err(Contradiction("the lower limit is above the upper limit"));
        }
        Ok(())
    }

    /// The same for limits that are ratios: none is above 1, or below 0.
    pub(crate) fn validate_ratios(&self) -> Result<(), Contradiction> {
        let Self { degraded_above, failing_above, degraded_below, failing_below } = *self;
        let mut limits =
            [degraded_above, failing_above, degraded_below, failing_below].into_iter().flatten();
        match limits.all(|limit| (0.0..=1.0).contains(&limit)) {
            true => self.validate(),
            false => Err(Contradiction("a limit is not between 0 and 1")),
        }
    }

    /// The result of a finite `number` that people know as `name`.
    pub(crate) fn result(&self, name: &'static str, number: f64, unit: Unit) -> CheckResult {
        let result = match self.exceeded(name, number, unit) {
            Some(Exceeded { is_failing: true, reason, text }) => {
                CheckResult::error(text).reason(reason)
            }
            Some(Exceeded { reason, text, .. }) => CheckResult::degraded(text).reason(reason),
            None => CheckResult::ok(),
        };
        result.value(name, number, unit)
    }

    /// The limit that a finite `number` exceeds, if it does.
    pub(crate) fn exceeded(&self, name: &str, number: f64, unit: Unit) -> Option<Exceeded> {
        let Self { degraded_above, failing_above, degraded_below, failing_below } = *self;
        let found = |is_failing, reason, relation, limit| {
            let (number, limit) = (Shown(number, unit), Shown(limit, unit));
            let text = format!("{name} is {number}, {relation} the limit of {limit}");
            Exceeded { is_failing, reason, text }
        };
        let above = |is_failing, limit: Option<f64>| {
            let limit = limit.filter(|limit| number > *limit)?;
            Some(found(is_failing, reason::ABOVE_LIMIT, "above", limit))
        };
        let below = |is_failing, limit: Option<f64>| {
            let limit = limit.filter(|limit| number < *limit)?;
            Some(found(is_failing, reason::BELOW_LIMIT, "below", limit))
        };
        above(true, failing_above)
            .or_else(|| below(true, failing_below))
            .or_else(|| above(false, degraded_above))
            .or_else(|| below(false, degraded_below))
    }
}

/// What a number exceeds.
pub(crate) struct Exceeded {
    pub(crate) is_failing: bool,
    pub(crate) reason: &'static str,
    pub(crate) text: String,
}

/// A number with its unit, for people.
pub(crate) struct Shown(pub(crate) f64, pub(crate) Unit);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, unit) = *self;
        match unit {
            Unit::Bytes => {
                let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
                match units.into_iter().find(|(size, _)| number.abs() >= *size) {
                    Some((size, unit)) => write!(f, "{:.1} {unit}", number / size),
                    None => write!(f, "{number} bytes"),
                }
            }
            Unit::Seconds => write!(f, "{number:.1} s"),
            Unit::Ratio => write!(f, "{:.1} %", number * 100.0),
            _ => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use health_core::{Report, Unit};

    use super::{Limits, Shown};

    #[test]
    fn a_limit_itself_is_not_exceeded() {
        let limits = Limits {
            degraded_above: Some(10.0),
            failing_above: Some(20.0),
            degraded_below: Some(2.0),
            failing_below: Some(1.0),
        };
        assert!(limits.validate().is_ok());
        for (number, shown) in [
            (0.5, "ERROR"),
            (1.0, "DEGRADED"),
            (2.0, "OK"),
            (10.0, "OK"),
            (10.5, "DEGRADED"),
            (20.0, "DEGRADED"),
            (20.5, "ERROR"),
        ] {
            let report = Report::of("queue", limits.result("length", number, Unit::Count));
            assert_eq!(report.status().as_str(), shown, "{number}: {report:?}");
        }
    }

    #[test]
    fn limits_that_contradict_each_other_are_rejected() {
        let none = Limits::default();
        for limits in [
            Limits { degraded_above: Some(2.0), failing_above: Some(1.0), ..none },
            Limits { degraded_below: Some(1.0), failing_below: Some(2.0), ..none },
            Limits { degraded_above: Some(1.0), degraded_below: Some(2.0), ..none },
            Limits { failing_above: Some(1.0), failing_below: Some(2.0), ..none },
            Limits { failing_above: Some(f64::NAN), ..none },
        ] {
            assert!(limits.validate().is_err(), "{limits:?}");
        }
        assert!(none.validate().is_ok());
    }

    #[test]
    fn numbers_are_shown_for_people() {
        for (number, unit, shown) in [
            (7.0, Unit::Count, "7"),
            (1_500_000_000.0, Unit::Bytes, "1.5 GB"),
            (999.0, Unit::Bytes, "999 bytes"),
            (61.25, Unit::Seconds, "61.2 s"),
            (0.955, Unit::Ratio, "95.5 %"),
        ] {
            assert_eq!(Shown(number, unit).to_string(), shown);
        }
    }
}
