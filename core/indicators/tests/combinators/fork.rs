//! The child of a fork. The test runs itself again in a separate process, which forks.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, exit};
use std::sync::Arc;

use fork::{Fork, fork, waitpid};
use health_conformance::testee::VirtualTime;
use health_core::Status;

use crate::server::{Server, report_of};

/// Set in the process that forks.
const FORKS: &str = "HEALTH_FORKS";

#[test]
fn a_child_neither_uses_nor_closes_the_connection_of_its_parent() {
    if env::var_os(FORKS).is_some() {
        return forks();
    }
    let name = "fork::a_child_neither_uses_nor_closes_the_connection_of_its_parent";
    let again = Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(FORKS, "1")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&again.stdout);
    assert!(output.contains("1 passed"), "{output}{}", String::from_utf8_lossy(&again.stderr));
}

fn forks() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let [tested, dropped] = [(); 2].map(|()| Arc::new(server.indicator()));
    report_of(&time, &tested);
    report_of(&time, &dropped);
    let mut dropped = Some(dropped);
    assert_eq!((server.opened(), server.open()), (2, 2));
    in_child(|| {
        let report = report_of(&time, &tested);
        assert_eq!(report.status(), Status::Ok);
        // Its own; a server would see 3, because none of the parent's is closed.
        assert_eq!((server.opened(), server.open()), (3, 3));
        drop(dropped.take());
        assert_eq!(server.open(), 3);
        report_of(&time, &tested);
        assert_eq!(server.opened(), 3);
    });
    report_of(&time, &tested);
    assert_eq!((server.opened(), server.open()), (2, 2));
}

fn in_child(body: impl FnOnce()) {
    match fork().unwrap() {
        Fork::Parent(child) => assert_eq!(waitpid(child).unwrap(), 0),
        Fork::Child => exit(i32::from(catch_unwind(AssertUnwindSafe(body)).is_err())),
    }
}
