//! One execution of the check of a tokio runtime.

use super::Run;
use super::registered::RegisteredCheck;
use crate::check::{Reading, Report, Status, TokioProbe};
use crate::runtime::after;
use crate::runtime::tokio::Remembered;
use crate::text::Rounded;

/// Sends a task to the application's runtime and waits for it, for half of the check's timeout.
pub(super) async fn read(check: &RegisteredCheck, probe: &TokioProbe, run: &Run) -> Report {
    let (handle, has_shut_down) = match run.engine.tokio() {
        Remembered::Live { handle, has_shut_down } => (handle, has_shut_down),
        Remembered::Never => {
            return check.failure(
                "no tokio runtime is known: build or mount the endpoints inside one, or call `Health::start_on_tokio` \
                 there",
            );
        }
        Remembered::ShutDown => return check.failure("the tokio runtime has shut down"),
    };
    let clock = &run.clock;
    let now = clock.now();
    let ran = probe.send(&handle, &has_shut_down, run.engine.runtime(), now);
    let end = after(now, check.timeout / 2);
    clock.within(|| end, ran.wait()).await;
    report(check, probe.reading(clock.now(), clock.resumed()))
}

/// A slow runtime is no failure.
fn report(check: &RegisteredCheck, reading: Reading) -> Report {
    match reading {
        Reading::Prompt => Report::new(&check.name, Status::Ok, None),
        Reading::Slow(time) => {
            let slow = format!("slow: the tokio runtime takes {} to run a task", Rounded(time));
            Report::new(&check.name, Status::Ok, Some(&slow))
        }
        Reading::Blocked(time) => check.failure(format_args!(
            "blocked: the tokio runtime has run no task for {}",
            Rounded(time)
        )),
    }
}
