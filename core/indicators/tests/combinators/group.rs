//! Several indicators as one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use health_conformance::testee::VirtualTime;
use health_core::{CheckResult, Report, Status};
use health_indicators::{Class, Group, Indicator, all_of, any_of, at_least};

use crate::server::{IsSilent, Panics, RespondsAfter, Server, TIMEOUT, Test, report_of};

/// Does the same at each test.
#[derive(Clone, Copy)]
struct Member(Status, Class);

const UP: Member = Member(Status::Ok, Class::Shared);
const SLOW: Member = Member(Status::Degraded, Class::Shared);
const DOWN: Member = Member(Status::Error, Class::Shared);

#[async_trait]
impl Indicator for Member {
    async fn test(&self) -> CheckResult {
        match self.0 {
            Status::Ok => CheckResult::ok(),
            Status::Degraded => CheckResult::degraded("lags").reason("above_limit"),
            _ => CheckResult::error("refused by db").reason("refused"),
        }
    }

    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    fn class(&self) -> Class {
        self.1
    }
}

fn named<const N: usize>(members: [Member; N]) -> Vec<(String, Member)> {
    members.into_iter().enumerate().map(|(at, member)| (format!("db-{}", at + 1), member)).collect()
}

fn judged(group: Group) -> Report {
    report_of(&VirtualTime::default(), &Arc::new(group))
}

#[test]
fn any_of_fails_if_all_fail_and_is_degraded_if_one_does_not_pass() {
    for (members, status) in [
        ([UP, UP], Status::Ok),
        ([UP, DOWN], Status::Degraded),
        ([DOWN, UP], Status::Degraded),
        ([UP, SLOW], Status::Degraded),
        ([SLOW, DOWN], Status::Degraded),
        ([DOWN, DOWN], Status::Error),
    ] {
        assert_eq!(judged(any_of(named(members))).status(), status);
    }
}

#[test]
fn all_of_fails_if_one_fails_and_is_degraded_if_one_is() {
    for (members, status) in [
        ([UP, UP], Status::Ok),
        ([UP, SLOW], Status::Degraded),
        ([UP, DOWN], Status::Error),
        ([SLOW, DOWN], Status::Error),
    ] {
        assert_eq!(judged(all_of(named(members))).status(), status);
    }
}

#[test]
fn at_least_counts_degraded_members_as_passed() {
    for (members, status) in [
        ([UP, UP, UP], Status::Ok),
        ([UP, UP, DOWN], Status::Degraded),
        ([UP, SLOW, DOWN], Status::Degraded),
        ([UP, DOWN, DOWN], Status::Error),
    ] {
        assert_eq!(judged(at_least(2, named(members))).status(), status);
    }
}

#[test]
fn the_message_names_each_member_that_does_not_pass_and_the_reason_is_that_of_the_first_failure() {
    let report = judged(at_least(2, named([SLOW, UP, DOWN])));
    let message = "2 of 3 pass, 2 are needed: db-1: lags; db-3: refused by db";
    assert_eq!(report.message(), Some(message));
    assert_eq!(report.reason(), Some("refused"));
    let values: Vec<_> = report.values().iter().map(|value| value.number()).collect();
    assert_eq!(values, [2.0, 3.0]);
    assert_eq!(judged(any_of(named([SLOW, UP]))).reason(), Some("above_limit"));
}

#[test]
fn a_number_that_members_cannot_reach_is_misconfigured() {
    for group in [
        any_of(named([])),
        all_of(named([])),
        at_least(0, named([UP])),
        at_least(0, named([])),
        at_least(2, named([UP])),
        at_least(usize::MAX, named([UP])),
    ] {
        let report = judged(group);
        assert_eq!((report.status(), report.reason()), (Status::Error, Some("misconfigured")));
    }
}

#[test]
fn members_are_tested_at_the_same_time_and_one_that_is_silent_fails_alone() {
    let time = VirtualTime::default();
    let servers = [(); 3].map(|()| Server::new(&time));
    servers[0].connect(IsSilent);
    servers[1].connect(RespondsAfter(TIMEOUT / 2));
    let members = servers.iter().map(|server| ("server", server.indicator()));
    let group = Arc::new(at_least(2, members));
    let test = Test::begin(&time, &group);
    time.pass(TIMEOUT);
    assert_eq!(test.report().status(), Status::Degraded);
    assert_eq!(test.report().reason(), Some("timed_out"));
}

#[test]
fn a_member_that_panics_fails_alone_and_shows_no_password() {
    let time = VirtualTime::default();
    let servers = [(); 2].map(|()| Server::new(&time));
    servers[0].connect(Panics);
    let members = servers.iter().zip(["a", "b"]).map(|(server, name)| (name, server.indicator()));
    let report = report_of(&time, &Arc::new(any_of(members)));
    assert_eq!((report.status(), report.reason()), (Status::Degraded, Some("failed")));
    let message = "1 of 2 pass, 1 are needed: a: panicked: password=…";
    assert_eq!(report.message(), Some(message));
}

#[test]
fn the_class_is_that_of_the_members_and_shared_if_they_differ() {
    let local = Member(Status::Ok, Class::Local);
    let process = Member(Status::Ok, Class::Process);
    assert_eq!(any_of(named([local, local])).class(), Class::Local);
    assert_eq!(any_of(named([process])).class(), Class::Process);
    assert_eq!(any_of(named([local, process])).class(), Class::Shared);
    assert_eq!(any_of(named([])).class(), Class::Shared);
}

#[test]
fn members_of_different_types_and_groups_are_members() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let members: [(&str, Box<dyn Indicator>); 3] = [
        ("kept", Box::new(server.indicator())),
        ("other", Box::new(UP)),
        ("group", Box::new(any_of(named([UP, DOWN])))),
    ];
    let group = all_of(members);
    assert_eq!(group.timeout(), TIMEOUT);
    let report = report_of(&time, &Arc::new(group));
    assert_eq!(report.status(), Status::Degraded);
}
