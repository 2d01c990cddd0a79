//! Tests of the suite: servers with deliberate faults, each of which a scenario must catch.
//!
//! `cargo test -p health-conformance --test faults -- --nocapture` prints the scenarios that catch each fault.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod correct;
mod fault;
mod http;
mod server;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use health_conformance::{
    Behaviour, Check, Harness as _, Journal, KnownFailures, Level, Options, Report, RunningServer,
    Scenario, Setup, Suite,
};

use self::fault::Fault;
use self::server::Faulty;
use self::topics::TOPICS;

/// The simplest scenario. No fault may fail it, so that each fault is specific to its scenarios.
const PLAINEST: &str = "path/exact";

/// Number of servers that run at the same time: they mostly wait.
const JOBS: usize = 16;

/// Limit for responses and background checks of a faulty server. A correct server gets the default limit.
const LIMIT: Duration = Duration::from_secs(2);

/// Several crowds, with clients and servers in this process, need more file descriptors than the default limit.
fn allow_many_files() {
    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limits.maximum, ..limits };
    setrlimit(Resource::Nofile, raised).unwrap();
}

/// The report on a server without a fault.
fn correct() -> &'static Report {
    static REPORT: LazyLock<Report> = LazyLock::new(|| {
        allow_many_files();
        let options = Options { strict: true, jobs: JOBS, ..Options::default() };
        Suite::builtin().unwrap().run(&Faulty(None), &options)
    });
    &REPORT
}

#[test]
fn a_server_without_a_fault_conforms() {
    assert!(correct().conforms(), "{}", correct());
}

/// An application without a route at `/`, in a framework that responds 405 there, as Salvo 0.84 does.
static OWN_RESPONSE_AT_ROOT: Fault = Fault {
    name: "OwnResponseAtRoot",
    description: "",
    scenarios: &["path/root", "path/other-path-in-maintenance"],
    decorate: || fault::page(405, |request| request.path() == "/"),
};

#[test]
fn an_application_may_respond_at_its_root_as_its_framework_does() {
    let suite = Suite::builtin().unwrap();
    assert_eq!(caught_by(&suite, &OWN_RESPONSE_AT_ROOT), BTreeSet::new());
}

#[test]
fn a_server_that_lacks_something_conforms_where_that_is_not_needed() {
    allow_many_files();
    let suite = Suite::builtin().unwrap();
    let quick = suite.scenarios().filter(|scenario| !takes_time(scenario));
    let quick: Vec<_> = quick.map(|scenario| scenario.id().to_owned()).collect();
    // The last ones only decide which scenarios run.
    let others = "reason panic optional background thresholds shared-dependencies peers rich-results slow-checks recovery-delay endpoints start-up switch drain application drain-end log-policy";
    for capabilities in ["log", "checks", others] {
        let lack = |name| format!("[[lacks]]\ncapability = '{name}'\nreason = 'why'\n");
        let lacks: String = capabilities.split(' ').map(lack).collect();
        let options = Options {
            run: quick.clone(),
            strict: true,
            jobs: JOBS,
            known: KnownFailures::parse(&lacks, &suite).unwrap(),
            ..Options::default()
        };
        let report = suite.run(&Faulty(None), &options);
        assert!(report.conforms(), "{report}");
    }
}

/// Whether a scenario waits for a check or sends thousands of requests.
fn takes_time(scenario: &Scenario) -> bool {
    let mut checks = scenario.setup().checks.iter();
    checks.any(|check| check.every.is_some() || check.behaviour != Behaviour::Report)
        || scenario.id() == "wire/toggled-under-load"
}

/// All faults, in the order of the rules.
fn faults() -> impl Iterator<Item = &'static Fault> {
    TOPICS.iter().copied().flatten()
}

/// Runs the suite against a running server with a fault. The suite removes only what it has created.
fn run_on_running(
    settings: &str,
    checks: &str,
    fault: Option<&'static Fault>,
    scenario: &str,
) -> Report {
    let directory = tempfile::tempdir().unwrap();
    let disablefile = directory.path().join("maintenance");
    let mut settings: BTreeMap<String, String> = serde_json::from_str(settings).unwrap();
    let path = disablefile.to_str().unwrap().to_owned();
    settings.insert("healthcheck.disablefile".to_owned(), path);
    let checks: Vec<Check> = serde_json::from_str(checks).unwrap();
    let setup = Setup { settings, checks, ..Setup::default() };
    let server = Faulty(fault).start(&setup, &Journal::in_memory()).unwrap();
    let url = format!("http://{}", server.address());
    let running = RunningServer::new(&url, setup, Some(&disablefile)).unwrap();
    let options = Options { run: vec![scenario.to_owned()], ..Options::default() };
    let report = Suite::builtin().unwrap().run(&running, &options);
    let left = directory.path().read_dir().unwrap().count();
    assert_eq!(left, 0, "something is left at the disablefile's path");
    report
}

#[test]
fn a_server_that_runs_already_is_judged_by_what_it_was_started_with() {
    let failing = r#"[{"name": "cache", "status": "ERROR", "message": "gone-for-good"}]"#;
    let elsewhere = r#"{"healthcheck.url": "/status", "healthcheck.maintenance_code": "503"}"#;
    for (settings, checks) in [("{}", failing), ("{}", "[]"), (elsewhere, failing)] {
        let report = run_on_running(settings, checks, None, "*");
        assert!(report.conforms(), "{settings} {checks}: {report}");
        let passed = report.passed().count();
        assert!(passed > 40, "{settings} {checks}: {report}");
    }
    for (settings, checks, fault, scenario) in [
        ("{}", failing, "ChecksNeverRun", "query/runs-all"),
        ("{}", failing, "DetailInHeader", "header/error"),
        ("{}", "[]", "StateCached", "maintenance/seen-at-once"),
        (elsewhere, "[]", "MaintenanceCodeIgnored", "maintenance/file"),
        (elsewhere, "[]", "TrailingSlashAccepted", "path/trailing-slash"),
    ] {
        let broken = faults().find(|broken| broken.name == fault);
        let report = run_on_running(settings, checks, Some(broken.unwrap()), scenario);
        let is_caught = report.failed().any(|id| id == scenario);
        assert!(is_caught, "{settings} {checks} {fault}: {report}");
    }
}

/// The scenarios that a server with this fault fails, of the simplest one and those that must catch it.
fn caught_by(suite: &Suite, fault: &'static Fault) -> BTreeSet<String> {
    let run = fault.scenarios.iter().chain([&PLAINEST]);
    let options = Options {
        run: run.map(|&id| id.to_owned()).collect(),
        jobs: JOBS,
        strict: true,
        timeout: LIMIT,
        eventually: LIMIT,
        ..Options::default()
    };
    let report = suite.run(&Faulty(Some(fault)), &options);
    report.failed().map(str::to_owned).collect()
}

#[test]
fn every_fault_is_caught_by_its_scenarios_and_leaves_the_plainest_response_correct() {
    assert!(faults().count() >= 300, "the README says so");
    allow_many_files();
    let suite = Suite::builtin().unwrap();
    // Some scenarios cannot be observed on this machine or by this user.
    let shown: BTreeSet<&str> = correct().passed().collect();
    let waiting = Mutex::new(faults());
    let missed = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(fault) = waiting.lock().unwrap().next() else {
                break;
            };
            let Fault { name, description, .. } = fault;
            let by = caught_by(&suite, fault);
            println!("{name}: {by:?}");
            let mut missed = missed.lock().unwrap();
            if by.contains(PLAINEST) {
                missed.push(format!("{name} fails {PLAINEST}, and so would fail every scenario"));
            }
            for pattern in fault.scenarios {
                let mut matching = suite.matching(pattern).map(Scenario::id).peekable();
                if matching.peek().is_none() {
                    missed.push(format!("{name}: there is no scenario {pattern}"));
                }
                for id in matching.filter(|id| shown.contains(id) && !by.contains(*id)) {
                    missed.push(format!("{id} does not catch {name}:{description}"));
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..2 * JOBS {
            scope.spawn(work);
        }
    });
    assert_eq!(missed.into_inner().unwrap(), Vec::<String>::new());
}

#[test]
fn every_must_has_to_catch_a_fault() {
    let suite = Suite::builtin().unwrap();
    let patterns = faults().flat_map(|fault| fault.scenarios);
    let caught: BTreeSet<&str> =
        patterns.flat_map(|pattern| suite.matching(pattern).map(Scenario::id)).collect();
    let musts = suite
        .scenarios()
        .filter(|scenario| scenario.level() == Level::Must && scenario.id() != PLAINEST);
    let idle: Vec<&str> = musts.map(Scenario::id).filter(|id| !caught.contains(id)).collect();
    assert!(idle.is_empty(), "no fault in tests/faults/topics for {idle:?}");
}
