//! The first process of a container, whose id is 1: the kernel ignores the default action of its signals.

use std::env;
use std::process::{Command, id};
use std::thread;

use health_core::{Signal as Caught, Signals};
use rustix::process::{Signal, getpid, kill_process};

use crate::early::log_to_standard_output;
use crate::{Server, drain_on, go_on_starting, say};

/// Runs this executable in a new PID namespace; `unshare` exits with its code, or ends by its signal.
fn container() -> Command {
    let arguments: [&[&str]; 2] = [&[], &["--user", "--map-root-user"]];
    let with = |arguments: &[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args(arguments).args(["--pid", "--fork", "--kill-child"]);
        unshare
    };
    let works = |arguments: &[&str]| {
        with(arguments).arg("true").output().is_ok_and(|output| output.status.success())
    };
    let arguments = arguments.into_iter().find(|arguments| works(arguments));
    assert!(
        arguments.is_some(),
        "`unshare --pid` creates no PID namespace here, so nothing shows what the first process of a container does: \
         install util-linux and run this test as root or where users may create namespaces, or skip it with \
         `--skip first_process`"
    );
    let mut container = with(arguments.unwrap());
    container.arg(env::current_exe().unwrap());
    container
}

fn is_first() {
    assert_eq!(id(), 1);
}

/// It can signal itself: from inside as from outside, it gets a signal only if it has a handler.
fn signal_itself(signal: Signal) {
    kill_process(getpid(), signal).unwrap();
}

#[test]
fn a_signal_during_its_start_makes_it_exit_with_128_and_its_number() {
    let name = "first_process::a_signal_during_its_start_makes_it_exit_with_128_and_its_number";
    let body = || {
        is_first();
        log_to_standard_output();
        let _signals = Signals::of([Caught::Terminate]).unwrap();
        say("READY");
        signal_itself(Signal::TERM);
        go_on_starting();
    };
    if let Some(mut server) = Server::start_by(container(), name, body) {
        server.wait_for("READY");
        server.wait_for("LOG INFO SIGTERM before the server served");
        assert_eq!(server.status().code(), Some(143));
    }
}

#[test]
fn signals_start_its_drain_and_end_it_after_that() {
    let name = "first_process::signals_start_its_drain_and_end_it_after_that";
    let body = || {
        is_first();
        thread::spawn(|| drain_on(Signals::of([Caught::Quit]).unwrap()));
        // Nothing catches it, so the kernel ignores it.
        signal_itself(Signal::INT);
        let mut line = String::new();
        while std::io::stdin().read_line(&mut line).unwrap() > 0 {
            signal_itself(Signal::QUIT);
        }
        go_on_starting();
    };
    if let Some(mut server) = Server::start_by(container(), name, body) {
        server.wait_for("READY");
        server.tell("signal");
        server.wait_for("now draining and ok");
        server.tell("signal");
        server.wait_for("drained");
        server.tell("signal");
        assert_eq!(server.status().code(), Some(131));
    }
}
