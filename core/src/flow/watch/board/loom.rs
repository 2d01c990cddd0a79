//! Models of the board: [loom](https://docs.rs/loom) tries every order of changes and a watch.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use loom::future::block_on;
use loom::sync::Mutex;
use loom::thread;

use super::Board;
use crate::state::State;

/// Tries all orders with at most this many preemptions.
fn model(body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(body);
}

#[test]
fn a_watch_gets_the_last_of_two_changes_whenever_they_come() {
    model(|| {
        let board = Arc::new(Board::default());
        let flags = Arc::new(Mutex::new([false; 2]));
        let state = |flags: &Mutex<[bool; 2]>| match *flags.lock().unwrap() {
            [true, true] => Some(State::Maintenance),
            _ => Some(State::Ok),
        };
        let (number, _) = board.join(0);
        let changes = [0, 1].map(|flag| {
            let (board, flags) = (board.clone(), flags.clone());
            thread::spawn(move || {
                flags.lock().unwrap()[flag] = true;
                board.publish(|_, _| state(&flags));
            })
        });
        let mut last = None;
        // Would wait without end if the last change were missed.
        while last != Some(State::Maintenance) {
            let next = poll_fn(|context| board.poll(0, number, last, context.waker()));
            let next = block_on(next);
            assert_ne!(next, last);
            last = next;
        }
        for change in changes {
            change.join().unwrap();
        }
    });
}

#[test]
fn the_end_is_noticed_and_a_watch_that_leaves_wakes_nothing() {
    model(|| {
        let board = Arc::new(Board::default());
        let (number, needs_task) = board.join(0);
        let (leaver, needs_another) = board.join(0);
        assert_eq!((needs_task, needs_another), (true, false));
        let ends = board.clone();
        let other = board.clone();
        let end = thread::spawn(move || ends.end());
        let leave = thread::spawn(move || other.leave(0, leaver));
        let next =
            block_on(poll_fn(|context| match board.poll(0, number, None, context.waker()) {
                Poll::Ready(state) => Poll::Ready(state),
                Poll::Pending => Poll::Pending,
            }));
        assert_eq!(next, None);
        end.join().unwrap();
        leave.join().unwrap();
    });
}
