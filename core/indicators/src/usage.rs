//! How much of something is used.

use std::fmt;

use health_core::{Check, CheckResult, Unit};

use crate::Class;
use crate::failure::misconfigured;
use crate::kernel::{Kernel, Unknown};
use crate::limits::Limits;

/// What of a limit that the system sets is used: see [`memory`](crate::memory),
/// [`memory_pressure`](crate::memory_pressure), [`open_files`](crate::open_files) and [`threads`](crate::threads).
///
/// By default they only degrade. Load fills them, too, and a host that is taken out for its load hands it to the others.
#[must_use = "an indicator does nothing until its check is registered"]
pub struct Usage {
    read: fn(&Kernel) -> Result<Reading, Unknown>,
    kernel: Kernel,
    limits: Limits,
    /// Applies unless the program sets one, and gives way to a lower limit for failing.
    default_degraded_above: f64,
    class: Class,
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The part that counts, and its name; none if there is no limit.
    pub(crate) ratio: Option<(&'static str, f64)>,
    pub(crate) values: Vec<(&'static str, f64, Unit)>,
}

impl Usage {
    pub(crate) fn new(
        read: fn(&Kernel) -> Result<Reading, Unknown>,
        degraded_above: f64,
        class: Class,
    ) -> Self {
        let limits = Limits::default();
        let default_degraded_above = degraded_above;
        Self { read, kernel: Kernel::default(), limits, default_degraded_above, class }
    }

    /// From 0 to 1. What is above is degraded. Default: that of the indicator, or the limit for an error if that is lower.
    pub fn degraded_above(mut self, ratio: f64) -> Self {
        self.limits.degraded_above = Some(ratio);
        self
    }

    /// From 0 to 1. What is above is an error. Default: none.
    pub fn failing_above(mut self, ratio: f64) -> Self {
        self.limits.failing_above = Some(ratio);
        self
    }

    /// What a failure means.
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The check of this name. It runs on the threads for blocking code.
    pub fn check(self, name: impl Into<String>) -> Check {
        let class = self.class;
        class.apply(Check::blocking(name, move || self.result()))
    }

    fn limits(&self) -> Limits {
        let default =
            self.default_degraded_above.min(self.limits.failing_above.unwrap_or(f64::MAX));
        Limits { degraded_above: self.limits.degraded_above.or(Some(default)), ..self.limits }
    }

    pub(crate) fn result(&self) -> CheckResult {
        let limits = self.limits();
        if let Err(contradiction) = limits.validate_ratios() {
            return misconfigured(contradiction);
        }
        if !cfg!(target_os = "linux") {
            return Unknown::new("only Linux tells it").result();
        }
        let Reading { ratio, values } = match (self.read)(&self.kernel) {
            Ok(reading) => reading,
            Err(unknown) => return unknown.result(),
        };
        let result = match ratio {
            Some((name, ratio)) => limits.result(name, ratio, Unit::Ratio),
            None => CheckResult::ok(),
        };
        let add = |result: CheckResult, (name, number, unit)| result.value(name, number, unit);
        values.into_iter().fold(result, add)
    }

    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn of(mut self, kernel: &Kernel) -> Self {
        self.kernel = kernel.clone();
        self
    }
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Usage").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Files of a kernel for tests.
#[cfg(test)]
#[cfg(target_os = "linux")]
pub(crate) mod fake {
    use std::fs;

    use health_core::{Report, Unit};
    use tempfile::TempDir;

    use super::Usage;
    use crate::kernel::Kernel;

    pub(crate) struct Files(TempDir);

    impl Files {
        pub(crate) fn new(files: &[(&str, &str)]) -> Self {
            let new = Self(tempfile::tempdir().unwrap());
            for (path, text) in files {
                new.write(path, text);
            }
            new
        }

        pub(crate) fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        pub(crate) fn report(&self, usage: Usage) -> Report {
            Report::of("usage", usage.of(&Kernel::at(self.0.path())).result())
        }

        /// Status and reason.
        pub(crate) fn judged(&self, usage: Usage) -> (&'static str, Option<String>) {
            let report = self.report(usage);
            (report.status().as_str(), report.reason().map(str::to_owned))
        }
    }

    pub(crate) fn value(report: &Report, name: &str, unit: Unit) -> Option<f64> {
        let mut values = report.values().iter();
        values
            .find(|value| (value.name(), value.unit()) == (name, unit))
            .map(|value| value.number())
    }
}
