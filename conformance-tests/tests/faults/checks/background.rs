//! Checks with a period (H14).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use health_conformance::{Behaviour, Check};

use super::{Checks, Slot, error, lock};
use crate::fault::Fault;

impl Checks {
    /// Starts the checks in the background, the first time it is called.
    pub(super) fn begin(self: &Arc<Self>) {
        if self.has_begun.swap(true, Ordering::Relaxed) {
            return;
        }
        for slot in &self.slots {
            let Some(period) = slot.check.every else {
                continue;
            };
            let (checks, slot) = (self.clone(), slot.clone());
            thread::spawn(move || {
                while !checks.clock.has_ended() {
                    let start = Instant::now();
                    let Some(result) = checks.execute(&slot) else {
                        break;
                    };
                    checks.remember(&slot, result);
                    let panics = matches!(slot.check.behaviour, Behaviour::Panic(_));
                    if checks.has(Fault::BackgroundRunsOnce)
                        || (panics && checks.has(Fault::PanicEndsPeriod))
                    {
                        break;
                    }
                    checks.clock.pause(period.saturating_sub(start.elapsed()));
                }
            });
        }
    }

    fn remember(&self, slot: &Slot, result: Check) {
        let result = self.counted(slot, result);
        let mut state = lock(&slot.state);
        let kept = match &state.last {
            Some((_, last)) if last.status == "OK" && self.has(Fault::FirstOkKept) => last.clone(),
            _ => result,
        };
        state.last = Some((Instant::now(), kept));
    }

    pub(super) fn last_result(&self, slot: &Slot, period: Duration) -> Check {
        if self.has(Fault::FirstResultAwaited) {
            self.clock.wait_while(|| lock(&slot.state).last.is_none());
        }
        match &lock(&slot.state).last {
            None if self.has(Fault::NeverRunPasses) => Check {
                status: "OK".to_owned(),
                ..slot.check.clone()
            },
            None => error(&slot.check, "not run yet".to_owned()),
            Some((then, _)) if then.elapsed() > 3 * period => {
                error(&slot.check, "stale".to_owned())
            }
            Some((_, result)) if self.has(Fault::BackgroundFailuresIgnored) => Check {
                status: "OK".to_owned(),
                ..result.clone()
            },
            Some((_, result)) => result.clone(),
        }
    }

    /// Whether a check in the background fails.
    pub(crate) fn fail_in_background(&self) -> bool {
        let mut slots = self.slots.iter();
        slots.any(|slot| match &lock(&slot.state).last {
            Some((_, result)) => result.status != "OK",
            None => false,
        })
    }
}
