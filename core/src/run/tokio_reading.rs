//! One execution of the check of a tokio runtime.

use super::Run;
use super::registered::RegisteredCheck;
use crate::check::{CheckResult, Reading, TokioProbe, Unit};
use crate::runtime::after;
use crate::runtime::tokio::Remembered;
use crate::text::Rounded;

/// Sends a task to the application's runtime and waits for it, for half of the check's timeout.
pub(super) async fn read(check: &RegisteredCheck, probe: &TokioProbe, run: &Run) -> CheckResult {
    let (handle, has_shut_down) = match run.engine.tokio() {
        Remembered::Live { handle, has_shut_down } => (handle, has_shut_down),
        Remembered::Never => {
            return CheckResult::failure(
                "no_runtime",
                "no tokio runtime is known: build or mount the endpoints inside one, or call `Health::start_on_tokio` \
                 there",
            );
        }
        Remembered::ShutDown => {
            return CheckResult::failure("shut_down", "the tokio runtime has shut down");
        }
    };
    let clock = &run.clock;
    let now = clock.now();
    let ran = probe.send(&handle, &has_shut_down, run.engine.runtime(), now);
    let end = after(now, check.info.timeout / 2);
    clock.within(|| end, ran.wait()).await;
    result(probe.reading(clock.now(), clock.resumed()))
}

/// A slow runtime is no failure.
fn result(reading: Reading) -> CheckResult {
    let (result, delay) = match reading {
        Reading::Prompt => return CheckResult::ok(),
        Reading::Slow(time) => {
            let message = format!("slow: the tokio runtime takes {} to run a task", Rounded(time));
            (CheckResult::degraded(message).with_said_reason("slow"), time)
        }
        Reading::Blocked(time) => {
            let message =
                format!("blocked: the tokio runtime has run no task for {}", Rounded(time));
            (CheckResult::failure("blocked", message), time)
        }
    };
    result.value("delay", delay.as_secs_f64(), Unit::Seconds)
}
