//! H14: checks in the background.

use std::thread;
use std::time::{Duration, Instant};

use health_conformance::{Behaviour, Check};

use crate::correct::Answer;
use crate::fault::{Decoration, exchange, faults, rows, setup, to};

faults! {
    /// Checks in the background do not start by themselves.
    BackgroundNeverStarts: "background/by-itself" =>
        setup(|setup| setup.checks.retain(|check| check.every.is_none()));
    /// Checks in the background run once.
    BackgroundRunsOnce: "background/by-itself" => background(|check| check.every = Some(HOUR));
    /// A check that fails waits for its usual period.
    FailingPeriodIgnored: "background/more-often-while-failing" =>
        background(|check| check.every_while_failing = None);
    /// A request runs the checks in the background too.
    BackgroundRunsForRequest: "background/last-result" => background(|check| check.every = None);
    /// A check that has not run yet passes.
    NeverRunPasses: "background/not-run-yet" => to(|answer, _, _| {
        if has_not_run(answer) {
            answer.turn_ok();
        }
    });
    /// A request waits for the first result.
    FirstResultAwaited: "background/not-run-yet" => exchange(|request, correct| {
        let start = Instant::now();
        loop {
            let answer = correct.answer(request);
            if !has_not_run(&answer) || start.elapsed() > PATIENCE {
                return Ok(answer);
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    /// What fails in the background does not count.
    BackgroundFailuresIgnored: "background/failing" =>
        background(|check| "OK".clone_into(&mut check.status));
    /// Plain requests tell what fails in the background.
    PlainTellsBackground: "background/failing" => to(|answer, request, correct| {
        if !request.asks() {
            *answer = correct.answer(&request.asking());
        }
    });
    /// The first OK is kept.
    FirstOkKept: "background/begins-to-hang", "background/begins-to-block" =>
        background(|check| check.then.clear());
    /// After the start, checks in the background wait for their period.
    StartRunsNothingAgain: "background/again-after-the-start" => setup(|setup| {
        // The first result is then the only one.
        if !setup.latches.is_empty() {
            setup.checks.iter_mut().for_each(|check| check.then.clear());
        }
    });
    /// A check that panics in the background is not run again.
    PanicEndsPeriod: "background/panics" => background(|check| {
        if matches!(check.behaviour, Behaviour::Panic(_)) {
            check.every = Some(HOUR);
        }
    });
    /// Results from the background stand behind the others.
    BackgroundComesLast: "background/order" =>
        setup(|setup| setup.checks.sort_by_key(|check| check.every.is_some()));
}

const HOUR: Duration = Duration::from_secs(3600);

/// Longer than a broken server is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

fn has_not_run(answer: &Answer) -> bool {
    let mut rows = answer.records.iter().filter_map(rows).flatten();
    rows.any(|row| row.message() == "not run yet")
}

/// Checks in the background are other ones.
fn background(edit: fn(&mut Check)) -> Decoration {
    setup(move |setup| {
        let background = setup.checks.iter_mut().filter(|check| check.every.is_some());
        background.for_each(edit);
    })
}
