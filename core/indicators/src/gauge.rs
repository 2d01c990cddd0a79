//! A number of the application, and its limits.

use std::fmt;

use health_core::{Check, CheckResult, Unit};

use crate::failure::{BoxError, failure, misconfigured};
use crate::limits::Limits;
use crate::{Class, reason};

/// Compares a number with limits, such as the length of a queue. `read` returns it, or an error, and may block its thread.
///
/// ```
/// use health_core::Unit;
/// use health_indicators::gauge;
/// # fn queue_length() -> Result<f64, std::io::Error> { Ok(7.0) }
///
/// let check = gauge(Unit::Count, queue_length).degraded_above(1_000.0).failing_above(10_000.0).check("queue");
/// ```
///
/// | | |
/// |---|---|
/// | class | local |
/// | timeout | that of the check |
/// | reasons | `above_limit`, `below_limit`, `misconfigured`; of an error of `read`, that of the error |
/// | values | `value` |
/// | proves | nothing but the number |
pub fn gauge<E>(unit: Unit, read: impl Fn() -> Result<f64, E> + Send + Sync + 'static) -> Gauge
where
    E: Into<BoxError>,
{
    Gauge {
        unit,
        read: Box::new(move || read().map_err(Into::into)),
        limits: Limits::default(),
        class: Class::Local,
    }
}

/// See [`gauge`].
#[must_use = "an indicator does nothing until its check is registered"]
pub struct Gauge {
    unit: Unit,
    read: Box<dyn Fn() -> Result<f64, BoxError> + Send + Sync>,
    limits: Limits,
    class: Class,
}

impl Gauge {
    /// A number above `limit` is degraded. Default: none.
    pub fn degraded_above(mut self, limit: f64) -> Self {
        self.limits.degraded_above = Some(limit);
        self
    }

    /// A number above `limit` is an error. Default: none.
    pub fn failing_above(mut self, limit: f64) -> Self {
        self.limits.failing_above = Some(limit);
        self
    }

    /// A number below `limit` is degraded. Default: none.
    pub fn degraded_below(mut self, limit: f64) -> Self {
        self.limits.degraded_below = Some(limit);
        self
    }

    /// A number below `limit` is an error. Default: none.
    pub fn failing_below(mut self, limit: f64) -> Self {
        self.limits.failing_below = Some(limit);
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
        match (self.read)() {
            Ok(number) if number.is_finite() => self.limits.result("value", number, self.unit),
            Ok(number) => {
                CheckResult::error(format!("the value is {number}")).reason(reason::FAILED)
            }
            Err(error) => failure(&*error, |_| None),
        }
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauge")
            .field("unit", &self.unit)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
