//! The command line against programs that are no testees: a clear message, the right exit code, no process
//! left behind.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs one scenario against a shell script; `$1` is a directory of the test's own.
fn run(script: &str, directory: &Path) -> Output {
    let quoted = format!("sh -c '{script}' sh {}", directory.display());
    let arguments = ["run", "--run", "path/exact", "--cmd", &quoted];
    command(&arguments)
}

fn command(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_health-conformance"))
        .args(arguments)
        .output()
        .unwrap()
}

/// Exit code, and what was printed on standard output or error.
fn outcome(output: &Output) -> (Option<i32>, String) {
    let printed = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(printed).unwrap())
}

#[test]
fn a_program_that_is_no_testee_is_told_and_does_not_conform() {
    let directory = tempfile::tempdir().unwrap();
    for (script, words) in [
        ("echo hello", "ended before READY (exit status: 0)"),
        ("echo oh dear >&2; exit 3", "refused its settings: oh dear"),
        ("exit 3", "ended before READY (exit status: 3)"),
        ("kill -9 $$", "ended before READY (signal: 9"),
        ("echo READY nowhere; cat", "READY with the odd address"),
        (
            "echo READY http://127.0.0.1:1; cat",
            "no connection to 127.0.0.1:1",
        ),
    ] {
        let (code, printed) = outcome(&run(script, directory.path()));
        assert_eq!(code, Some(1), "{script}: {printed}");
        assert!(printed.contains(words), "{script}: {printed}");
        assert!(
            printed.contains("0 passed, 1 failed"),
            "{script}: {printed}"
        );
        assert!(
            printed.contains("again: health-conformance run"),
            "{script}: {printed}"
        );
    }
}

#[test]
fn what_cannot_be_run_is_told_with_exit_code_2() {
    let directory = tempfile::tempdir().unwrap();
    let known = directory.path().join("known.toml");
    fs::write(
        &known,
        "[[known]]\nscenario = 'a'\nfields = []\nreason = ''",
    )
    .unwrap();
    let known = known.to_str().unwrap();
    for (arguments, words) in [
        (
            &["run", "--cmd", "/no/such/program"][..],
            "cannot run /no/such/program",
        ),
        (&["run", "--cmd", "'"], "is not a command"),
        (&["run", "--cmd", ""], "is not a command"),
        (
            &["run", "--cmd", "cat", "--run", "no/such"],
            "matches no scenario",
        ),
        (
            &["run", "--cmd", "cat", "--known", "/no/such"],
            "--known /no/such",
        ),
        (&["run", "--cmd", "cat", "--known", known], "has no reason"),
        (&["run"], "--cmd"),
        (&[], "Usage"),
    ] {
        let (code, printed) = outcome(&command(arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {printed}");
        assert!(printed.contains(words), "{arguments:?}: {printed}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_of_the_program_does_not_outlive_it() {
    let directory = tempfile::tempdir().unwrap();
    let script = "sleep 600 & echo $! > $1/pid; echo READY http://127.0.0.1:1; cat";
    run(script, directory.path());
    let child = fs::read_to_string(directory.path().join("pid")).unwrap();
    // Killed, it may still wait for its new parent to notice: then its state is Z.
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim()));
    let state = stat.unwrap_or_else(|_| ") gone".to_owned());
    assert!(
        state.contains(") Z ") || state.contains(") gone"),
        "{state}"
    );
}

#[test]
fn the_list_has_a_line_for_each_scenario() {
    let output = command(&["list"]);
    let suite = health_conformance::Suite::builtin().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let ids = printed.lines().map(|line| line.split(' ').next().unwrap());
    assert!(ids.eq(suite.scenarios().map(|scenario| scenario.id())));
}
