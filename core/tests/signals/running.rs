//! Signals while the server runs.

use std::os::unix::process::ExitStatusExt as _;

use rustix::process::{Pid, Signal, kill_process};

use crate::{Server, drain_and_hang, drain_for_ever, drain_two};

impl Server {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }
}

#[test]
fn a_signal_begins_the_drain_and_a_second_one_ends_the_wait() {
    let name = "running::a_signal_begins_the_drain_and_a_second_one_ends_the_wait";
    for (first, second) in
        [(Signal::TERM, Signal::TERM), (Signal::INT, Signal::TERM), (Signal::TERM, Signal::INT)]
    {
        let Some(mut server) = Server::start(name, drain_for_ever) else {
            return;
        };
        server.wait_for("READY");
        server.signal(first);
        server.wait_for("now draining and ok");
        server.signal(second);
        server.wait_for("drained");
        assert!(server.status().success(), "{first:?}, {second:?}");
    }
}

#[test]
fn when_the_wait_is_over_a_signal_ends_the_process() {
    let name = "running::when_the_wait_is_over_a_signal_ends_the_process";
    for signal in [Signal::TERM, Signal::INT] {
        let Some(mut server) = Server::start(name, drain_and_hang) else {
            return;
        };
        server.wait_for("READY");
        server.signal(Signal::TERM);
        server.wait_for("now draining");
        server.signal(Signal::TERM);
        server.wait_for("drained");
        server.signal(signal);
        assert_eq!(server.status().signal(), Some(signal.as_raw()));
    }
}

#[test]
fn of_two_that_wait_for_signals_each_has_them_until_the_last_is_gone() {
    let name = "running::of_two_that_wait_for_signals_each_has_them_until_the_last_is_gone";
    if let Some(mut server) = Server::start(name, drain_two) {
        server.wait_for("READY");
        server.signal(Signal::TERM);
        server.wait_for("both drained");
        assert!(server.status().success());
    }
}
