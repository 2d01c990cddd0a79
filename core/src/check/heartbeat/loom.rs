//! Models of a worker and the look of its check: [loom](https://docs.rs/loom) tries every order.

use std::time::{Duration, Instant};

use loom::thread;

use super::{BeatReader, Heartbeat};

const SECOND: Duration = Duration::from_secs(1);

fn started() -> (Heartbeat, BeatReader) {
    let heartbeat = Heartbeat::new("worker", SECOND);
    let reader = BeatReader::of(&heartbeat);
    (heartbeat, reader)
}

#[test]
fn a_look_while_long_work_ends_finds_the_work_or_its_end() {
    loom::model(|| {
        let (heartbeat, reader) = started();
        let start = Instant::now();
        let busy = heartbeat.busy(Duration::MAX);
        assert_eq!(reader.look(start, None), Ok(()));
        let worker = thread::spawn(move || drop(busy));
        assert_eq!(reader.look(start + 10 * SECOND, None), Ok(()));
        worker.join().unwrap();
        drop(heartbeat);
    });
}

#[test]
fn a_look_while_long_work_begins_finds_a_beat() {
    loom::model(|| {
        let (heartbeat, reader) = started();
        let start = Instant::now();
        heartbeat.beat();
        assert_eq!(reader.look(start, None), Ok(()));
        let worker = thread::spawn(move || {
            let busy = heartbeat.busy(Duration::MAX);
            (heartbeat, busy)
        });
        let first = reader.look(start + SECOND, None);
        assert_eq!(first, Ok(()));
        let held = worker.join().unwrap();
        assert_eq!(reader.look(start + 10 * SECOND, None), Ok(()));
        drop(held);
    });
}

#[test]
fn no_beat_of_two_workers_is_lost() {
    loom::model(|| {
        let (heartbeat, reader) = started();
        let start = Instant::now();
        let other = heartbeat.clone();
        let worker = thread::spawn(move || other.beat());
        heartbeat.beat();
        assert_eq!(reader.look(start, None), Ok(()));
        let beats_seen = reader.beats_seen();
        worker.join().unwrap();
        let found = reader.look(start + 10 * SECOND, None);
        assert_eq!(found.is_ok(), beats_seen == 1, "{found:?}");
    });
}
