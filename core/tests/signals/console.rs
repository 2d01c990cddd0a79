//! Ctrl-C on Windows. Each process has its own console, so that Ctrl-C reaches no other.

use std::env;
use std::os::windows::process::CommandExt as _;
use std::process::Command;

use futures::{FutureExt as _, StreamExt as _};
use health_core::Signals;

use crate::{
    FOR_EVER, Server, drain_and_hang, drain_for_ever, drain_two, go_on_starting, health, say,
};

/// Gives the process a console without a window.
pub(crate) fn give_own(command: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
}

impl Server {
    fn ctrl_c(&self) {
        let program = env::var_os("CONSOLE_EVENT");
        assert!(
            program.is_some(),
            "no program sends Ctrl-C: build core/tests/signals/console_event.c, and set the variable CONSOLE_EVENT to \
             its path, as .ci/windows does"
        );
        let sent = Command::new(program.unwrap()).arg(self.process.id().to_string()).status();
        assert!(sent.unwrap().success());
    }

    /// The default action ends the process, and not [`go_on_starting`].
    fn end_by_ctrl_c(mut self) {
        self.ctrl_c();
        let printed = self.lines.by_ref().map(Result::unwrap);
        assert_eq!(printed.collect::<Vec<_>>(), [""; 0]);
        assert_ne!(self.status().code(), Some(3));
    }
}

#[test]
fn ctrl_c_begins_the_drain_and_a_second_one_ends_the_wait() {
    let name = "console::ctrl_c_begins_the_drain_and_a_second_one_ends_the_wait";
    if let Some(mut server) = Server::start(name, drain_for_ever) {
        server.wait_for("READY");
        server.ctrl_c();
        server.wait_for("now draining and ok");
        server.ctrl_c();
        server.wait_for("drained");
        assert!(server.status().success());
    }
}

#[test]
fn when_the_wait_is_over_ctrl_c_ends_the_process() {
    let name = "console::when_the_wait_is_over_ctrl_c_ends_the_process";
    if let Some(mut server) = Server::start(name, drain_and_hang) {
        server.wait_for("READY");
        server.ctrl_c();
        server.wait_for("now draining");
        server.ctrl_c();
        server.wait_for("drained");
        server.end_by_ctrl_c();
    }
}

#[test]
fn of_two_that_wait_for_ctrl_c_each_has_it() {
    let name = "console::of_two_that_wait_for_ctrl_c_each_has_it";
    if let Some(mut server) = Server::start(name, drain_two) {
        server.wait_for("READY");
        server.ctrl_c();
        server.wait_for("both drained");
        assert!(server.status().success());
    }
}

#[test]
fn ctrl_c_before_the_first_poll_ends_the_process() {
    let name = "console::ctrl_c_before_the_first_poll_ends_the_process";
    let body = || {
        let signals = Signals::new().unwrap();
        let _drained = health().drain_when(signals, FOR_EVER);
        say("READY");
        go_on_starting();
    };
    if let Some(mut server) = Server::start(name, body) {
        server.wait_for("READY");
        server.end_by_ctrl_c();
    }
}

#[test]
fn a_signals_that_was_polled_and_dropped_leaves_the_default_action() {
    let name = "console::a_signals_that_was_polled_and_dropped_leaves_the_default_action";
    let body = || {
        let _unpolled = Signals::new().unwrap();
        let mut polled = Signals::new().unwrap();
        assert!(polled.next().now_or_never().is_none());
        drop(polled);
        say("READY");
        go_on_starting();
    };
    if let Some(mut server) = Server::start(name, body) {
        server.wait_for("READY");
        server.end_by_ctrl_c();
    }
}
