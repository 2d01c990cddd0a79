//! H7: runs that are shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use crate::correct::Answer;
use crate::fault::{Crowd, Ending, Memory, exchange, faults};

faults! {
    /// Each request has its own run.
    RunForEachAsker: "shared/crowd" =>
        exchange(|request, correct| Ok(correct.with_setup(|_| {}).answer(request)));
    /// A request that joins a run gets OK.
    JoiningPasses: "shared/results" => {
        let crowd = Crowd::default();
        exchange(move |request, correct| {
            let (mut answer, has_joined) = crowd.answer(request, correct);
            if has_joined {
                answer.turn_ok();
            }
            Ok(answer)
        })
    };
    /// The results of the first run are kept.
    ResultsKept: "shared/next-run" => {
        let first = Memory::<Option<Answer>>::default();
        exchange(move |request, correct| {
            Ok(first.lock().get_or_insert_with(|| correct.answer(request)).clone())
        })
    };
    /// A run ends when its client disconnects.
    RunEndsWithItsAsker: "shared/first-leaves", "shared/many-leave" => {
        let run = Arc::new(Memory::<Run>::default());
        exchange(move |request, correct| {
            run.lock().begin();
            let is_answered = Arc::new(AtomicBool::new(false));
            let (left, watched, answered) = (request.clone(), run.clone(), is_answered.clone());
            thread::spawn(move || {
                if left.wait_for_leave() && !answered.load(Relaxed) {
                    watched.lock().is_ended = true;
                }
            });
            let answer = correct.answer(request);
            is_answered.store(true, Relaxed);
            if run.lock().end() { Err(Ending::Connection) } else { Ok(answer) }
        })
    };
}

/// A run, and how many requests wait for it.
#[derive(Debug, Default)]
struct Run {
    requests: usize,
    is_ended: bool,
}

impl Run {
    fn begin(&mut self) {
        self.is_ended &= self.requests > 0;
        self.requests += 1;
    }

    /// Returns whether a client has left meanwhile.
    fn end(&mut self) -> bool {
        self.requests -= 1;
        self.is_ended
    }
}
