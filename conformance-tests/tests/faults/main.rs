//! Who tests the tests: servers that are broken on purpose, each of which a scenario has to catch.
//!
//! `cargo test -p health-conformance --test faults -- --nocapture` prints which scenarios catch which fault.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod checks;
mod clock;
mod endpoint;
mod fault;
#[path = "../../testees/std/http.rs"]
#[expect(dead_code, reason = "the server here has a loop of its own")]
mod http;
mod query;
mod record;
mod server;
mod state;
mod threshold;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use health_conformance::{
    Check, Given, Harness as _, Journal, KnownFailures, Level, Options, Report, RunningServer,
    Suite,
};

use self::fault::{CATALOGUE, Fault};
use self::server::Faulty;

/// The plainest scenario there is: what it catches, every scenario does.
const PLAINEST: &str = "path/exact";

/// The longest scenario by far: played only on the fault that is named after it.
const LONGEST: &str = "wire/toggled-under-load";

/// Topics whose scenarios take their time: each is played only on the faults that are named after it, with the plainest.
const SLOW_TOPICS: [&str; 6] = [
    "deadline",
    "blocking",
    "shared",
    "optional",
    "background",
    "threshold",
];

/// Topics about several endpoints and states: played together, on the faults that are named after one of them.
const STATE_TOPICS: [&str; 6] = [
    "endpoint",
    "state",
    "startup",
    "source",
    "drain",
    "log-policy",
];

/// How long a broken server may take to answer; a sound one gets the usual time.
const LIMIT: Duration = Duration::from_secs(3);

/// Several crowds at once, both ends in this process, need more files than a shell allows at first.
fn allow_many_files() {
    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limits.maximum,
        ..limits
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}

/// Patterns of the scenarios that are played on a fault, and of those that are not.
fn chosen(scenario: &str) -> (Vec<String>, Vec<String>) {
    let all_of = |topic: &str| format!("{topic}/*");
    let (topic, _) = scenario.split_once('/').unwrap();
    if SLOW_TOPICS.contains(&topic) {
        return (vec![all_of(topic), PLAINEST.to_owned()], Vec::new());
    }
    if STATE_TOPICS.contains(&topic) {
        let states = STATE_TOPICS.iter().copied().map(all_of);
        return (states.chain([PLAINEST.to_owned()]).collect(), Vec::new());
    }
    let longest = Some(LONGEST.to_owned()).filter(|longest| longest != scenario);
    let others = SLOW_TOPICS.into_iter().chain(STATE_TOPICS).map(all_of);
    (vec!["*".to_owned()], others.chain(longest).collect())
}

/// The scenarios that each fault fails.
fn catches(suite: &Suite) -> BTreeMap<Fault, BTreeSet<String>> {
    allow_many_files();
    let waiting = Mutex::new(CATALOGUE.iter());
    let caught = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let Some((fault, scenario)) = waiting.lock().unwrap().next() else {
                break;
            };
            let (run, skip) = chosen(scenario);
            let options = Options {
                run,
                skip,
                jobs: 4,
                strict: true,
                timeout: LIMIT,
                ..Options::default()
            };
            let report = suite.run(&Faulty(Some(*fault)), &options);
            let failed = report.failed().map(str::to_owned).collect();
            caught.lock().unwrap().insert(*fault, failed);
        }
    };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(work);
        }
    });
    caught.into_inner().unwrap()
}

fn sound(suite: &Suite) -> Report {
    allow_many_files();
    let options = Options {
        strict: true,
        jobs: 8,
        ..Options::default()
    };
    suite.run(&Faulty(None), &options)
}

#[test]
fn a_server_without_a_fault_conforms() {
    let report = sound(&Suite::builtin().unwrap());
    assert!(report.conforms(), "{report}");
}

#[test]
fn a_server_that_lacks_something_conforms_where_that_is_not_needed() {
    let suite = Suite::builtin().unwrap();
    for capability in [
        "log",
        "checks",
        "reason",
        "panic",
        "optional",
        "background",
        "thresholds",
        "endpoints",
        "start-up",
        "switch",
        "drain",
        "log-policy",
    ] {
        let lack = format!("[[lacks]]\ncapability = '{capability}'\nreason = 'why'");
        let options = Options {
            strict: true,
            jobs: 8,
            known: KnownFailures::parse(&lack, &suite).unwrap(),
            ..Options::default()
        };
        let report = suite.run(&Faulty(None), &options);
        assert!(report.conforms(), "{report}");
    }
}

/// Runs the suite against a server with a fault that runs already, and removes nothing but what it has put there.
fn run_on_running(settings: &str, checks: &str, fault: Option<Fault>) -> Report {
    let directory = tempfile::tempdir().unwrap();
    let disablefile = directory.path().join("maintenance");
    let mut settings: BTreeMap<String, String> = serde_json::from_str(settings).unwrap();
    let path = disablefile.to_str().unwrap().to_owned();
    settings.insert("healthcheck.disablefile".to_owned(), path);
    let checks: Vec<Check> = serde_json::from_str(checks).unwrap();
    let given = Given {
        settings,
        checks,
        ..Given::default()
    };
    let server = Faulty(fault).start(&given, &Journal::in_memory());
    let server = server.unwrap();
    let url = format!("http://{}", server.address());
    let running = RunningServer::new(&url, given, Some(&disablefile)).unwrap();
    let report = Suite::builtin().unwrap().run(&running, &Options::default());
    let left = directory.path().read_dir().unwrap().count();
    assert_eq!(left, 0, "something is left at the disablefile's path");
    report
}

#[test]
fn a_server_that_runs_already_is_judged_by_what_it_was_started_with() {
    let failing = r#"[{"name": "cache", "status": "ERROR", "message": "gone-for-good"}]"#;
    let elsewhere = r#"{"healthcheck.url": "/status", "healthcheck.maintenance_code": "503"}"#;
    for (settings, checks) in [("{}", failing), ("{}", "[]"), (elsewhere, failing)] {
        let report = run_on_running(settings, checks, None);
        assert!(report.conforms(), "{settings} {checks}: {report}");
        let passed = report.passed().count();
        assert!(passed > 40, "{settings} {checks}: {report}");
    }
    for (settings, checks, fault, scenario) in [
        ("{}", failing, Fault::ChecksNeverRun, "query/runs-all"),
        ("{}", failing, Fault::DetailInHeader, "header/error"),
        ("{}", "[]", Fault::StateCached, "maintenance/seen-at-once"),
        (
            elsewhere,
            "[]",
            Fault::MaintenanceCodeIgnored,
            "maintenance/file",
        ),
        (
            elsewhere,
            "[]",
            Fault::TrailingSlashAccepted,
            "path/trailing-slash",
        ),
    ] {
        let report = run_on_running(settings, checks, Some(fault));
        let is_caught = report.failed().any(|id| id == scenario);
        assert!(is_caught, "{settings} {checks} {fault:?}: {report}");
    }
}

#[test]
fn every_fault_is_caught_by_its_scenario_and_every_must_catches_a_fault() {
    assert!(CATALOGUE.len() >= 300, "the README says so");
    let suite = Suite::builtin().unwrap();
    let caught = catches(&suite);
    // This machine, or user, may be unable to show some.
    let sound = sound(&suite);
    let shown: BTreeSet<&str> = sound.passed().collect();
    let mut missed = Vec::new();
    for (fault, scenario) in CATALOGUE {
        let by = &caught[fault];
        println!("{fault:?}: {by:?}");
        if !by.contains(*scenario) {
            missed.push(format!(
                "{scenario} does not catch {fault:?}, which {by:?} do"
            ));
        }
    }
    // A fault of everything proves nothing about a scenario in particular.
    let particular = || caught.values().filter(|by| !by.contains(PLAINEST));
    for scenario in suite.scenarios() {
        let id = scenario.id();
        let is_judged = scenario.level() == Level::Must && id != PLAINEST && shown.contains(id);
        if is_judged && !particular().any(|by| by.contains(id)) {
            missed.push(format!("{id} catches no fault in particular"));
        }
    }
    assert_eq!(missed, Vec::<String>::new());
}
