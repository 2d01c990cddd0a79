//! A signal before anything waits for a drain ends the process.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::thread;

use futures::executor::block_on;
use futures::{FutureExt as _, StreamExt as _};
use health_core::Signals;
use rustix::process::{Signal, getpid, kill_process};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::{FOR_EVER, Server, drain_on, go_on_starting, health, say};

/// Prints the level, the message and the event of each record.
struct Printed;

impl Subscriber for Printed {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Fields(String);
        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if ["message", "event"].contains(&field.name()) {
                    self.0 += &format!(" {value:?}");
                }
            }
        }
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        say(&format!("LOG {}{}", event.metadata().level(), fields.0));
    }

    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// A log that never returns, or panics.
struct Broken {
    panics: bool,
}

impl Subscriber for Broken {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        if self.panics {
            std::panic::resume_unwind(Box::new("quietly"));
        }
        thread::sleep(FOR_EVER);
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

pub(crate) fn log_to_standard_output() {
    tracing::subscriber::set_global_default(Printed).unwrap();
}

/// The process of the test `name` runs `body`, which never ends, and gets `signal`: it ends by it, with one record.
fn is_ended(name: &str, signal: Signal, body: fn()) {
    let prints = || {
        log_to_standard_output();
        body();
    };
    if let Some(mut server) = Server::start(name, prints) {
        server.wait_for("READY");
        server.signal(signal);
        let records = server.rest().into_iter().filter(|line| line.contains("LOG"));
        let of = if signal == Signal::TERM { "SIGTERM" } else { "SIGINT" };
        let record =
            format!("LOG INFO {of} before the server served: the process ends without a drain");
        assert_eq!(records.collect::<Vec<_>>(), [format!("{record} \"drain\"")]);
        assert_eq!(server.status().signal(), Some(signal.as_raw()));
    }
}

#[test]
fn a_signal_during_a_long_start_ends_the_process_at_once() {
    let name = "early::a_signal_during_a_long_start_ends_the_process_at_once";
    for signal in [Signal::TERM, Signal::INT] {
        is_ended(name, signal, || {
            let _signals = Signals::new().unwrap();
            say("READY");
            go_on_starting();
        });
    }
}

#[test]
fn a_future_of_drain_when_that_is_not_polled_does_not_wait_for_signals() {
    let name = "early::a_future_of_drain_when_that_is_not_polled_does_not_wait_for_signals";
    is_ended(name, Signal::TERM, || {
        let signals = Signals::new().unwrap();
        let _drained = health().drain_when(signals, FOR_EVER);
        say("READY");
        go_on_starting();
    });
}

#[test]
fn a_signals_that_was_polled_and_dropped_does_not_wait_for_signals() {
    let name = "early::a_signals_that_was_polled_and_dropped_does_not_wait_for_signals";
    is_ended(name, Signal::TERM, || {
        let _unpolled = Signals::new().unwrap();
        let mut polled = Signals::new().unwrap();
        assert!(polled.next().now_or_never().is_none());
        drop(polled);
        say("READY");
        go_on_starting();
    });
}

#[test]
fn a_signals_of_other_signals_does_not_wait_for_this_one() {
    let name = "early::a_signals_of_other_signals_does_not_wait_for_this_one";
    is_ended(name, Signal::TERM, || {
        let _unpolled = Signals::new().unwrap();
        let mut polled = Signals::of([health_core::Signal::Hangup]).unwrap();
        assert!(polled.next().now_or_never().is_none());
        say("READY");
        go_on_starting();
    });
}

#[test]
fn a_signals_that_is_dropped_before_its_first_poll_leaves_the_default_action() {
    let name = "early::a_signals_that_is_dropped_before_its_first_poll_leaves_the_default_action";
    let body = || {
        log_to_standard_output();
        drop(Signals::new().unwrap());
        say("READY");
        go_on_starting();
    };
    if let Some(mut server) = Server::start(name, body) {
        server.wait_for("READY");
        server.signal(Signal::INT);
        assert_eq!(server.rest(), [""; 0]);
        assert_eq!(server.status().signal(), Some(Signal::INT.as_raw()));
    }
}

#[test]
fn while_one_of_several_is_polled_the_others_miss_no_signal() {
    let name = "early::while_one_of_several_is_polled_the_others_miss_no_signal";
    let body = || {
        let [mut first, mut second] = [(); 2].map(|()| Signals::new().unwrap());
        assert!(first.next().now_or_never().is_none());
        kill_process(getpid(), Signal::TERM).unwrap();
        let _ = block_on(first.next());
        let _ = block_on(second.next());
        say("both");
    };
    if let Some(mut server) = Server::start(name, body) {
        server.wait_for("both");
        assert!(server.status().success());
    }
}

fn is_ended_in_spite_of(name: &str, log: Broken) {
    let body = || {
        let _signals = Signals::new().unwrap();
        tracing::subscriber::set_global_default(log).unwrap();
        say("READY");
        go_on_starting();
    };
    if let Some(mut server) = Server::start(name, body) {
        server.wait_for("READY");
        server.signal(Signal::TERM);
        assert_eq!(server.status().signal(), Some(Signal::TERM.as_raw()));
    }
}

#[test]
fn a_log_that_blocks_does_not_keep_the_process_from_ending() {
    let name = "early::a_log_that_blocks_does_not_keep_the_process_from_ending";
    is_ended_in_spite_of(name, Broken { panics: false });
}

#[test]
fn a_log_that_panics_does_not_keep_the_process_from_ending() {
    let name = "early::a_log_that_panics_does_not_keep_the_process_from_ending";
    is_ended_in_spite_of(name, Broken { panics: true });
}

#[test]
fn signals_of_a_set_start_a_drain_and_others_end_the_process() {
    use health_core::Signal::{Hangup, Quit, Terminate};
    let name = "early::signals_of_a_set_start_a_drain_and_others_end_the_process";
    let body = || drain_on(Signals::of([Terminate, Quit, Hangup]).unwrap());
    for (signal, drains) in [
        (Signal::TERM, true),
        (Signal::QUIT, true),
        (Signal::HUP, true),
        (Signal::INT, false),
        (Signal::USR1, false),
    ] {
        let Some(mut server) = Server::start(name, body) else {
            return;
        };
        server.wait_for("READY");
        server.signal(signal);
        if drains {
            server.wait_for("now draining and ok");
            server.signal(signal);
            server.wait_for("drained");
            assert!(server.status().success(), "{signal:?}");
        } else {
            assert_eq!(server.status().signal(), Some(signal.as_raw()));
        }
    }
}

#[test]
fn a_set_without_a_signal_is_an_error_with_a_sentence() {
    let error = Signals::of([]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let sentence = "`Signals::of` got no signal, so nothing could start a drain: pass at least one, such as `Signal::Terminate`";
    assert_eq!(error.to_string(), sentence);
}
