//! Checks with the behavior of a scenario.

use std::fmt;
use std::future::{Future, pending, ready};
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use futures::channel::oneshot;
use health_core::{Check, CheckResult, HealthCheckEvent, HealthSubscriber, Unit};

use super::peers::ScriptedPeers;
use crate::setup::{self, Behaviour, Execution, Place, Setup};
use crate::target::journal::{Journal, Line};

/// The most characters of a name that a check can be registered under.
const NAME_LIMIT: usize = 128;

/// What a closure of the core's returns.
type Outcome = Pin<Box<dyn Future<Output = Result<CheckResult, String>> + Send>>;

/// Builds the check that `setup` describes. `is_namesake` means that another check has the same name.
///
/// All ways to register a check are tried: a closure where it can say the same, an event otherwise, and
/// code that blocks where the thread is blocked.
pub(super) fn check(
    setup: &setup::Check,
    index: usize,
    is_namesake: bool,
    journal: &Journal,
    peers: &ScriptedPeers,
) -> Check {
    let scripted = Arc::new(Scripted {
        check: setup.clone(),
        executions: AtomicUsize::new(0),
        journal: journal.clone(),
    });
    let name = registered_name(setup, index, is_namesake);
    let mut executions = setup.executions();
    let blocks =
        executions.clone().any(|execution| matches!(execution.behaviour, Behaviour::Block(_)));
    let check = if setup.is_of_peers() {
        let meeting = peers.meeting(&setup.name, journal);
        Check::peers(name, meeting)
    } else if name != setup.name {
        // It reports its name itself.
        Check::subscriber(name, Events(scripted))
    } else if blocks {
        Check::blocking(name, move || scripted.block())
    } else if executions.all(|execution| execution.is_result()) {
        Check::new(name, move || scripted.call())
    } else {
        Check::subscriber(name, Events(scripted))
    };
    let check = check
        .timeout(setup.timeout)
        .failure_threshold(setup.failure_threshold)
        .success_threshold(setup.success_threshold);
    let check = match setup.every {
        Some(period) => check.every(period),
        None => check,
    };
    let check = match setup.every_while_failing {
        Some(period) => check.every_while_failing(period),
        None => check,
    };
    let check = if setup.optional { check.optional() } else { check };
    let check = if setup.shared { check.shared() } else { check };
    let check = match setup.fail_after {
        Some(limit) => check.fail_after(limit),
        None => check,
    };
    let check = if setup.process_only { check.process_only() } else { check };
    setup.tags.iter().fold(check, Check::tag)
}

/// The name under which a check is registered: another than its own where that is too odd, or taken.
fn registered_name(check: &setup::Check, index: usize, is_namesake: bool) -> String {
    let name = &check.name;
    let is_name = name.chars().count() <= NAME_LIMIT && !name.contains(char::is_control);
    if is_name && !is_namesake { name.clone() } else { format!("check {index}") }
}

/// The names under which the checks of one name are registered.
pub(super) fn registered_names(name: &str, setup: &Setup) -> Vec<String> {
    let checks = setup.checks.iter().enumerate();
    let same = checks.filter(|(_, check)| check.name == name);
    same.enumerate()
        .map(|(before, (index, check))| registered_name(check, index, before > 0))
        .collect()
}

impl Execution {
    /// Whether a result or an error means the same.
    fn is_result(&self) -> bool {
        self.is_rich()
            || matches!(
                (self.behaviour, &*self.status, &self.message),
                (Behaviour::Panic(_), ..) | (_, "OK", None) | (_, "ERROR", Some(_))
            )
    }

    fn result(self) -> Result<CheckResult, String> {
        let is_rich = self.is_rich();
        let result = match (self.message, &*self.status) {
            (None, _) => CheckResult::ok(),
            (Some(message), _) if self.degraded => CheckResult::degraded(message),
            (Some(message), "OK") => CheckResult::ok().message(message),
            (Some(message), _) if is_rich => CheckResult::error(message),
            (Some(message), _) => return Err(message),
        };
        let result = match self.reason {
            Some(reason) => result.reason(reason),
            None => result,
        };
        Ok(self.values.into_iter().fold(result, |result, value| {
            let unit = match value.unit {
                setup::Unit::Count => Unit::Count,
                setup::Unit::Bytes => Unit::Bytes,
                setup::Unit::Seconds => Unit::Seconds,
                setup::Unit::Ratio => Unit::Ratio,
            };
            result.value(value.name, value.number.0, unit)
        }))
    }
}

/// A check with the behavior of the scenario.
struct Scripted {
    check: setup::Check,
    executions: AtomicUsize,
    journal: Journal,
}

impl Scripted {
    /// Counts an execution, and returns what it has to do.
    fn start(&self) -> Execution {
        self.journal.record(Line::Check(self.check.name.clone()));
        let before = self.executions.fetch_add(1, Ordering::Relaxed);
        self.check.execution(before)
    }

    /// As a closure that blocks.
    fn block(&self) -> Result<CheckResult, String> {
        let execution = self.start();
        if let Behaviour::Slow(time) | Behaviour::Block(time) = execution.behaviour {
            thread::sleep(time);
        }
        execution.result()
    }

    /// As a closure that makes a future.
    fn call(&self) -> Outcome {
        let execution = self.start();
        match execution.behaviour {
            Behaviour::Panic(Place::Call) => expected_panic("in the call"),
            Behaviour::Panic(Place::Drop) => Box::pin(PanicsInDrop),
            Behaviour::Panic(Place::Payload) => Box::pin(async { expected_panic_with_payload() }),
            Behaviour::Panic(Place::Run) => {
                let message = format!("{:?}", execution.message);
                Box::pin(async move { expected_panic(&message) })
            }
            Behaviour::Hang => Box::pin(pending()),
            Behaviour::Slow(time) => Box::pin(async move {
                sleep(time).await;
                execution.result()
            }),
            Behaviour::Block(time) => Box::pin(async move {
                thread::sleep(time);
                execution.result()
            }),
            Behaviour::Report | Behaviour::Peers => Box::pin(ready(execution.result())),
        }
    }
}

/// As a subscriber, which can report more than a closure.
struct Events(Arc<Scripted>);

#[async_trait]
impl HealthSubscriber for Events {
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        let execution = self.0.start();
        match execution.behaviour {
            Behaviour::Report | Behaviour::Peers => {}
            Behaviour::Slow(time) => sleep(time).await,
            Behaviour::Panic(_) => expected_panic("of a subscriber"),
            Behaviour::Hang => pending().await,
            Behaviour::Block(time) => thread::sleep(time),
        }
        let name = &self.0.check.name;
        if execution.is_rich() {
            event.result(name, execution.result());
        } else {
            event.report(name, execution.status.as_str(), execution.message.as_deref());
        }
    }
}

/// Sleeps on a separate thread: a testee may have any runtime, or none.
async fn sleep(time: Duration) {
    let (wake, woken) = oneshot::channel();
    thread::spawn(move || {
        thread::sleep(time);
        wake.send(())
    });
    let _ = woken.await;
}

/// The beginning of the message of each panic of a scenario.
pub(super) const EXPECTED_PANIC: &str = "a panic of the scenario:";

#[expect(clippy::panic, reason = "the scenario needs a check that panics")]
fn expected_panic(what: impl fmt::Display) -> ! {
    panic!("{EXPECTED_PANIC} {what}")
}

#[expect(clippy::panic, reason = "the scenario needs a check that panics")]
fn expected_panic_with_payload() -> ! {
    panic_any(Payload)
}

/// A future that is done, and panics when it is dropped.
struct PanicsInDrop;

impl Future for PanicsInDrop {
    type Output = Result<CheckResult, String>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(CheckResult::ok()))
    }
}

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        // Two panics at once would end the process.
        if !thread::panicking() {
            expected_panic("in a drop");
        }
    }
}

/// The payload of a panic, which panics when it is dropped.
pub(super) struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        if !thread::panicking() {
            expected_panic("in the drop of a payload");
        }
    }
}
