//! Programs that break a rule of the testee protocol: each gets a finding with the rule.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::{command, side_by_side, text};

/// A testee that follows every rule, and responds like a healthy server without checks.
const CORRECT: &str = r#"
import json, os, socket, sys, threading, time
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\n" \
    b"x-content-type-options: nosniff\r\nconnection: close\r\ncontent-length: 2\r\n\r\nOK"
settings = json.loads(os.environ["HEALTH_SETUP"])["settings"]
def say(line):
    print(line, flush=True)
def serve():
    while True:
        connection = listener.accept()[0]
        if connection.recv(999):
            connection.sendall(ANSWER)
        connection.close()
if settings.get("healthcheck.url") == "":
    sys.exit('healthcheck.url = "": it has to start with "/"')
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, daemon=True).start()
say("READY http://127.0.0.1:%d" % listener.getsockname()[1])
for line in sys.stdin:
    say("DONE")
"#;

/// Runs scenarios against a testee like the correct one, in which the first text is replaced by the second.
fn run(scenarios: &[&str], edit: (&str, &str)) -> Output {
    run_with(&[], scenarios, edit)
}

fn run_with(options: &[&str], scenarios: &[&str], (from, to): (&str, &str)) -> Output {
    assert!(CORRECT.contains(from), "{from}");
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("testee.py");
    fs::write(&script, CORRECT.replacen(from, to, 1)).unwrap();
    let program = format!("python3 {}", script.display());
    let chosen = scenarios.iter().flat_map(|id| ["--run", id]);
    let arguments: Vec<&str> = ["run", "--jobs", "4", "--cmd", &program]
        .into_iter()
        .chain(options.iter().copied())
        .chain(chosen)
        .collect();
    command(&arguments)
}

#[test]
fn a_program_that_follows_every_rule_has_no_finding() {
    let output = run(&["path/exact", "setting/url-empty"], ("", ""));
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(printed.contains("2 passed, 0 failed"), "{printed}");
}

#[test]
fn a_rule_broken_while_the_program_runs_is_reported_once() {
    let ready = r#"say("READY http://127.0.0.1:%d" % listener.getsockname()[1])"#;
    let and = |more: &str| format!("{ready}\n{more}");
    let says_done = r#"    say("DONE")"#;
    // A second is too short for a program that ends as it should, on a busy machine.
    let cases = [
        (
            "1",
            (says_done, "    pass\ntime.sleep(60)".to_owned()),
            "the program ends within 1 s when its standard input closes",
            "it did not exit and was killed",
        ),
        (
            "60",
            (r#"("127.0.0.1", 0)"#, r#"("0.0.0.0", 0)"#.to_owned()),
            "the server listens on 127.0.0.1 only",
            "it also listens on 127.0.0.2, probably on all addresses",
        ),
        ("60", (ready, format!("{ready}\n{ready}")), "one READY line", "a second READY line"),
        (
            "60",
            (ready, and(r#"say("DONE")"#)),
            "one DONE line for each command",
            "a DONE without a command",
        ),
        (
            "60",
            (ready, and(r#"say("LOG WARNING the disk is full")"#)),
            "LOG INFO, LOG WARN or LOG ERROR",
            "LOG WARNING the disk is full",
        ),
    ];
    side_by_side(cases, |(stop_timeout, (from, to), expected, got)| {
        let options = ["--stop-timeout", stop_timeout];
        let output = run_with(&options, &["path/any-*", "path/configured"], (from, &to));
        let printed = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{printed}");
        let finding = format!("protocol\n      expected {expected}\n      got      {got}");
        assert_eq!(printed.matches(&finding).count(), 1, "{finding}: {printed}");
        let again = "again: health-conformance run";
        assert!(printed.contains(again), "{printed}");
    });
}

#[test]
fn a_rule_broken_before_ready_is_an_error_that_contains_the_rule() {
    let ready = r#"say("READY http://127.0.0.1:%d" % listener.getsockname()[1])"#;
    let cases = [
        (
            (ready, r#"say("READY http://[::1]:80")"#),
            "READY with the address \"http://[::1]:80\" instead of READY http://127.0.0.1:PORT",
        ),
        ((ready, r#"say("READY http://127.0.0.1:0")"#), "READY with the address"),
        ((ready, r#"say("READY http://127.0.0.1:%d/health" % 80)"#), "READY with the address"),
        ((ready, "sys.exit()"), "ended before READY (exit status: 0)"),
    ];
    side_by_side(cases, |(edit, words)| {
        let output = run(&["path/exact"], edit);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(words), "{error}");
    });
}

#[test]
fn a_rejected_setting_needs_a_message_an_exit_code_and_no_ready() {
    let refusal = r#"    sys.exit('healthcheck.url = "": it has to start with "/"')"#;
    let prints = r#"    print('healthcheck.url = "": it has to start with "/"', file=sys.stderr)"#;
    let exits_with_0 = format!("{prints}\n    sys.exit(0)");
    let cases = [
        ("    pass", "an error that contains the setting", "a server that is ready"),
        (
            &exits_with_0,
            "an error on standard error, and an exit code other than 0",
            "ended before READY (exit status: 0); standard error: \"healthcheck.url",
        ),
        (
            "    sys.exit(2)",
            "an error on standard error, and an exit code other than 0",
            "ended before READY (exit status: 2); standard error: \"\"",
        ),
        ("    sys.exit('no')", "a message that contains healthcheck.url", "no"),
    ];
    side_by_side(cases, |(instead, expected, got)| {
        let output = run(&["setting/url-empty"], (refusal, instead));
        let printed = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{printed}");
        for words in [expected, got] {
            assert!(printed.contains(words), "{words}: {printed}");
        }
    });
}

#[test]
fn the_environment_holds_the_setup_and_no_setting_of_the_shell() {
    let seen = r#"settings = json.loads(os.environ["HEALTH_SETUP"])["settings"]"#;
    let looks = format!(
        "{seen}\nif any(name.startswith('HEALTHCHECK_') for name in os.environ): sys.exit('a setting of the shell')"
    );
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("testee.py");
    fs::write(&script, CORRECT.replacen(seen, &looks, 1)).unwrap();
    let output = run_in_shell(&script);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

fn run_in_shell(script: &Path) -> Output {
    let program = format!("python3 {}", script.display());
    std::process::Command::new(env!("CARGO_BIN_EXE_health-conformance"))
        .args(["run", "--run", "path/exact", "--cmd", &program])
        .env("HEALTHCHECK_URL", "/elsewhere")
        .output()
        .unwrap()
}
