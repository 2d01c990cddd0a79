//! What a source that panics or hangs leads to (H19).

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::executor::block_on;

use super::{MaintenanceSource, Source};
use crate::runtime::{Runtime, ThreadRuntime};

const LIMIT: Duration = Duration::from_secs(60);

fn observe(source: &Source) -> (bool, Option<String>) {
    let runtime: Arc<dyn Runtime> = Arc::new(ThreadRuntime);
    let (is_active, warning) = block_on(source.observe(&runtime));
    (is_active, warning.map(|record| record.text().to_owned()))
}

/// Returns the next answer, and panics where it is `None`.
struct Scripted(Mutex<VecDeque<Option<bool>>>);

impl MaintenanceSource for Scripted {
    fn is_active(&self) -> bool {
        let next = self.0.lock().unwrap().pop_front().unwrap();
        next.unwrap_or_else(|| std::panic::resume_unwind(Box::new("quietly")))
    }

    fn name(&self) -> &str {
        "scripted"
    }
}

fn scripted<const N: usize>(answers: [Option<bool>; N]) -> Source {
    Source::new(Arc::new(Scripted(Mutex::new(answers.into()))), LIMIT)
}

#[test]
fn after_a_panic_the_last_answer_of_a_source_applies_with_one_warning_per_episode() {
    let source = scripted([Some(false), None, None, Some(true), None, Some(false)]);
    let answers: Vec<_> = (0..6).map(|_| observe(&source)).collect();
    let states = answers.iter().map(|(is_active, _)| *is_active);
    let expected = [false, false, false, true, true, false];
    assert_eq!(states.collect::<Vec<_>>(), expected);
    let warned = answers.iter().map(|(_, warning)| warning.is_some());
    let expected = [false, true, false, false, true, false];
    assert_eq!(warned.collect::<Vec<_>>(), expected);
    let warning = answers[1].1.as_ref().unwrap();
    assert!(warning.contains("\"scripted\"") && warning.contains("quietly"), "{warning}");
    assert!(warning.contains("as not in maintenance"), "{warning}");
}

#[test]
fn a_source_without_an_answer_counts_as_maintenance() {
    let source = scripted([None, Some(false)]);
    let (is_active, warning) = observe(&source);
    assert!(is_active && warning.unwrap().contains("as in maintenance"));
    assert_eq!(observe(&source), (false, None));
}

#[test]
fn each_episode_of_silence_has_its_warning() {
    let source = scripted([]);
    let warned = |answer| source.conclude(answer).1.is_some();
    assert!(warned(None));
    assert!(!warned(None));
    assert!(!warned(Some(Ok(false))));
    assert!(warned(None));
}

/// Blocks until it is sent its answer.
struct Slow(Mutex<Receiver<bool>>);

impl MaintenanceSource for Slow {
    fn is_active(&self) -> bool {
        self.0.lock().unwrap().recv().unwrap_or_default()
    }
}

#[test]
fn a_source_that_blocks_delays_no_request_beyond_the_timeout_with_one_warning_per_episode() {
    let (answer, answers) = channel();
    let slow = Arc::new(Slow(Mutex::new(answers)));
    let source = Source::new(slow, Duration::from_millis(20));
    let (is_active, warning) = observe(&source);
    assert!(is_active && warning.is_some());
    for _ in 0..100 {
        assert_eq!(observe(&source), (true, None));
    }
    // One answer for the probe that is stuck, the others for the one behind it and for ours.
    for _ in 0..3 {
        answer.send(false).unwrap();
    }
    while observe(&source) != (false, None) {
        answer.send(false).unwrap();
    }
}

#[test]
fn a_closure_is_a_source_that_the_log_names_after_the_function_around_it() {
    let answers = Mutex::new(vec![false, true]);
    let source = Source::new(Arc::new(move || answers.lock().unwrap().pop().unwrap()), LIMIT);
    assert_eq!(observe(&source), (true, None));
    assert_eq!(observe(&source), (false, None));
    let (is_active, warning) = observe(&source);
    let warning = warning.unwrap();
    let name = "a_closure_is_a_source_that_the_log_names_after_the_function_around_it";
    assert!(!is_active && warning.contains(name), "{warning}");
}
