//! Checks whose results and durations follow a script.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use health_axum::{Check, CheckResult, Health, HealthBuilder, Runtime as _};
use health_conformance::testee::VirtualTime;

/// The period of the checks.
pub(crate) const PERIOD: Duration = Duration::from_secs(180);

/// What a check returns at its nth run, and after how many milliseconds.
pub(crate) type Script = fn(u64) -> (u64, CheckResult);

/// A check that runs in the background.
pub(crate) fn scripted(time: &VirtualTime, name: &str, script: Script) -> Check {
    let time = time.clone();
    let runs = AtomicU64::new(0);
    let check = Check::new(name, move || {
        let (milliseconds, result) = script(runs.fetch_add(1, Ordering::Relaxed));
        let sleep = time.sleep_until(time.now() + Duration::from_millis(milliseconds));
        async move {
            sleep.await;
            result
        }
    });
    check.every(PERIOD)
}

/// A number from 0 to `most` without a pattern.
pub(crate) fn noise(run: u64, most: u64) -> u64 {
    (run.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) % (most + 1)
}

/// A service in virtual time.
pub(crate) fn shop(time: &VirtualTime) -> HealthBuilder {
    Health::builder().runtime(time.clone()).service("shop", "1.4.2")
}
