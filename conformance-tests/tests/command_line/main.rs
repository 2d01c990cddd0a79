//! The command line: its output, its exit codes, and its errors for broken servers and files.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod testee;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use health_conformance::Suite;

fn command(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_health-conformance")).args(arguments).output().unwrap()
}

/// Runs scenarios against a running server.
fn run_on(url: &str, arguments: &[&str]) -> Output {
    command(&[&["run", "--url", url], arguments].concat())
}

/// Checks the cases concurrently: most wait for a program.
fn side_by_side<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    let check = &check;
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || check(case));
        }
    });
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs one scenario against a shell script; `$1` is a directory of the test.
fn run(script: &str, directory: &Path) -> Output {
    let quoted = format!("sh -c '{script}' sh {}", directory.display());
    command(&["run", "--run", "path/exact", "--cmd", &quoted])
}

/// A server that responds to every request with the same bytes, as long as the test runs.
fn serve(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    match stream.read(&mut byte) {
                        Ok(1) => request.push(byte[0]),
                        _ => return,
                    }
                }
                let _ = stream.write_all(answer);
            });
        }
    });
    address
}

const HEALTHY: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 2\r\n\
    cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\nOK";

#[test]
fn a_program_that_is_no_testee_cannot_be_tested_and_is_told_why() {
    let directory = tempfile::tempdir().unwrap();
    let cases = [
        ("echo hello", "ended before READY (exit status: 0)"),
        ("echo oh dear >&2; exit 3", "rejected its settings: oh dear"),
        ("exit 3", "ended before READY (exit status: 3)"),
        ("kill -9 $$", "ended before READY (signal: 9"),
        ("echo READY nowhere; cat", "READY with the address"),
        ("echo READY http://127.0.0.1:1; cat", "cannot connect to 127.0.0.1:1"),
        ("exec 1>&- 2>&-; sleep 9", "closed its output before READY"),
    ];
    side_by_side(cases, |(script, words)| {
        let output = run(script, directory.path());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{script}: {error}");
        assert!(error.contains(words), "{script}: {error}");
    });
}

#[test]
fn a_server_that_does_not_answer_in_http_cannot_be_tested_and_is_told_why() {
    static ENDLESS: [u8; 2 << 20] = [b'x'; 2 << 20];
    for (answer, words) in [
        (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], "not a complete HTTP/1 response, "),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nO", "not a complete HTTP/1 response"),
        (b"HTTP/1.1 200 OK\r\ncontent-le", "not a complete HTTP/1 response"),
        (b"", "closed the connection without a response"),
        (&ENDLESS, "not a complete HTTP/1 response"),
    ] {
        let url = format!("http://{}", serve(answer));
        let output = run_on(&url, &[]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words}: {error}");
        assert!(
            error.contains("does not respond to GET /health") && error.contains(words),
            "{error}"
        );
        assert!(error.len() < 2_000, "{} bytes", error.len());
    }
}

#[test]
fn a_server_that_never_answers_is_given_up_when_the_time_is_over() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let output = run_on(&url, &["--timeout", "0.01"]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("no complete response within 10 ms"), "{error}");
}

#[test]
fn what_cannot_be_run_is_told_with_exit_code_2() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let entry = "[[known]]\nscenario = 'path/exact'\nfields = ['status']\n";
    let reasonless = file("reasonless", &format!("{entry}reason = ''"));
    let idle = file("idle", "[[known]]\nscenario = 'no/*'\nfields = ['log']\nreason = 'r'");
    let binary = file("binary", "\0\0");
    let report = file("report", "{}");
    let (server, cat) = (["run", "--url", "http://127.0.0.1:1"], ["run", "--cmd", "cat"]);
    for (start, rest, words) in [
        (&[][..], &["run", "--cmd", "/no/such/program"][..], "cannot run /no/such/program"),
        (&[], &["run", "--cmd", "'"], "is not a command"),
        (&[], &["run", "--cmd", ""], "is not a command"),
        (&[], &["run"], "--cmd"),
        (&[], &["run", "--cmd", "cat", "--url", "x"], "cannot be used with"),
        (&[], &["run", "--url", "ftp://x"], "is not of the form http://HOST:PORT"),
        (&[], &["run", "--url", "http://127.0.0.1:1"], "cannot connect to 127.0.0.1:1"),
        (&[], &[], "Usage"),
        (&[], &["explain", "no/such"], "there is no scenario \"no/such\""),
        (&[], &["matrix"], "REPORT"),
        (&[], &["matrix", "/no/such"], "/no/such: "),
        (&[], &["matrix", &report], "not a report of"),
        (&cat, &["--run", "no/such"], "--run \"no/such\" matches no scenario"),
        (&cat, &["--skip", "no/such"], "--skip \"no/such\" matches no scenario"),
        (&cat, &["--known", "/no/such"], "--known /no/such"),
        (&cat, &["--known", &reasonless], "has no reason"),
        (&cat, &["--known", &idle], "matches no scenario"),
        (&cat, &["--known", &binary], "--known "),
        (&cat, &["--timeout", "0"], "not between"),
        (&cat, &["--timeout", "soon"], "not a number"),
        (&cat, &["--jobs", "0"], "--jobs"),
        (&cat, &["--format", "yaml"], "--format"),
        (&cat, &["--setup", "x"], "--url"),
        (&server, &["--setup", "/no/such"], "--setup /no/such"),
        (&server, &["--setup", &binary], "--setup "),
        (&server, &["--disablefile", &binary], "exists: "),
    ] {
        let arguments = [start, rest].concat();
        let output = command(&arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(words), "{arguments:?}: {error}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_of_the_program_does_not_outlive_it() {
    let directory = tempfile::tempdir().unwrap();
    let script = "sleep 600 & echo $! > $1/pid; echo READY http://127.0.0.1:1; cat";
    run(script, directory.path());
    let child = fs::read_to_string(directory.path().join("pid")).unwrap();
    // Killed, it may take its time to go, or wait for its new parent to notice: then its state is Z.
    let is_there = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    for _ in 0..1000 {
        if !is_there() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the child is still there");
}

#[test]
fn a_program_that_ends_while_it_is_asked_is_told_with_its_last_words() {
    let directory = tempfile::tempdir().unwrap();
    let server = "import os,socket,sys,threading\ns=socket.create_server((\"127.0.0.1\",0))\n\
        threading.Thread(target=lambda: os._exit(len(sys.stdin.read())), daemon=True).start()\n\
        print(\"READY http://127.0.0.1:%d\"%s.getsockname()[1],flush=True)\n\
        first=not os.path.exists(sys.argv[1])\nopen(sys.argv[1],\"w\")\n\
        while True:\n c=s.accept()[0]\n if not c.recv(999): continue\n \
        if not first: sys.exit(\"boom in the handler\")\n \
        c.sendall(b\"HTTP/1.1 404 Not Found\\r\\nContent-Length: 0\\r\\n\\r\\n\")";
    let marker = directory.path().join("tried-out");
    let program = format!("python3 -c '{server}' {}", marker.display());
    let output = command(&["run", "--run", "path/exact", "--cmd", &program]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{printed}{}", text(&output.stderr));
    let words = "the program ended (exit status: 1); standard error: \"boom in the handler\"";
    assert!(printed.contains(words), "{printed}");
}

/// A testee that answers everything with `responses[0]`; `commands` is what it does about each `line` on its standard input.
fn testee_with_commands(directory: &Path, commands: &str) -> String {
    let server = r#"
import socket, sys, threading, time
HEAD = "HTTP/1.1 %s\r\ncontent-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\n" \
    "x-content-type-options: nosniff\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
answers = [HEAD % ("200 OK", 2, "OK")]
listener = socket.create_server(("127.0.0.1", 0))
def say(line):
    print(line, flush=True)
def serve():
    while True:
        connection = listener.accept()[0]
        if connection.recv(999):
            if "MAINTENANCE" in answers[0]:
                say("LOG INFO Health response: MAINTENANCE")
            connection.sendall(answers[0].encode())
        connection.close()
threading.Thread(target=serve, daemon=True).start()
say("READY http://127.0.0.1:%d" % listener.getsockname()[1])
for line in sys.stdin:
"#;
    let commands: String = commands.lines().map(|line| format!("    {line}\n")).collect();
    let script = directory.join("testee.py");
    fs::write(&script, format!("{server}{commands}")).unwrap();
    format!("python3 {}", script.display())
}

#[test]
fn a_command_is_waited_for_until_it_took_effect() {
    let directory = tempfile::tempdir().unwrap();
    let commands = r#"time.sleep(0.1)
is_on = line == "SWITCH on\n"
answers[0] = HEAD % (("299 MAINTENANCE", 11, "MAINTENANCE") if is_on else ("200 OK", 2, "OK"))
say("DONE")"#;
    let program = testee_with_commands(directory.path(), commands);
    let output = command(&["run", "--run", "source/switch*", "--cmd", &program]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(printed.contains("3 passed, 0 failed"), "{printed}");
}

#[test]
fn a_command_that_does_not_take_effect_is_told_with_the_last_words_of_the_program() {
    let directory = tempfile::tempdir().unwrap();
    let commands = r#"if line != "SWITCH on\n":
    sys.exit("no such command: " + line)
say("DONE")"#;
    let program = testee_with_commands(directory.path(), commands);
    let cases = [
        (
            "drain/next-request",
            &[
                "at request 2, DRAIN: GET /health",
                "command DRAIN\n      expected DONE\n",
                "the program ended (exit status: 1); standard error: \"no such command: DRAIN\"",
            ][..],
        ),
        (
            "source/switch-before-the-first-request",
            &[
                "at request 1, SWITCH on: GET /health",
                "status\n      expected 299\n      got      200",
            ],
        ),
    ];
    side_by_side(cases, |(scenario, words)| {
        let output = command(&["run", "--run", scenario, "--cmd", &program]);
        let printed = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{printed}");
        for words in words {
            assert!(printed.contains(words), "{words}: {printed}");
        }
    });
}

#[test]
fn a_signal_ends_the_run_and_leaves_no_marker_behind() {
    let directory = tempfile::tempdir().unwrap();
    let disablefile = directory.path().join("maintenance");
    // Answers the first request, and no other.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, was_asked) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for mut stream in listener.incoming().flatten() {
            if stream.read(&mut [0; 999]).unwrap_or_default() == 0 {
                continue;
            }
            if kept.is_empty() {
                stream.write_all(HEALTHY).unwrap();
            } else {
                asked.send(()).unwrap();
            }
            kept.push(stream);
        }
    });
    let child = Command::new(env!("CARGO_BIN_EXE_health-conformance"))
        .args(["run", "--url", &url, "--run", "maintenance/file", "--timeout", "2"])
        .arg("--disablefile")
        .arg(&disablefile)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    was_asked.recv().unwrap();
    assert!(disablefile.exists());
    let kill = Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("interrupted"));
    assert!(!disablefile.exists());
}

#[test]
fn a_running_server_is_played_what_fits_it_and_the_rest_is_skipped_with_the_reason() {
    let url = format!("http://{}", serve(HEALTHY));
    let output = run_on(
        &url,
        &["--run", "path/any-*", "--run", "setting/url-empty", "--run", "maintenance/file"],
    );
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}{}", text(&output.stderr));
    for words in [
        "lacks    log: --url does not show the log of the server",
        "skipped  setting/url-empty: needs a server that the suite starts (--cmd)",
        "skipped  maintenance/file: creates and removes the disablefile (--disablefile)",
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn skipped_scenarios_are_counted_by_reason_and_listed_on_request() {
    let url = format!("http://{}", serve(HEALTHY));
    let run = ["--run", "path/exact", "--run", "setting/url-*", "--run", "optional/fails"];
    let output = run_on(&url, &run);
    let expected = [
        "skipped  17 scenarios: needs a server that the suite starts (--cmd)",
        "skipped  optional/fails: needs optional checks, and --setup describes no checks",
    ];
    let printed = text(&output.stdout);
    let skipped: Vec<_> = printed.lines().filter(|line| line.starts_with("skipped")).collect();
    assert_eq!(skipped, expected);

    let output = run_on(&url, &[&run[..], &["--verbose"]].concat());
    let printed = text(&output.stdout);
    let listed = printed.lines().filter(|line| line.starts_with("skipped  setting/url-")).count();
    assert_eq!(listed, 17, "{printed}");
}

#[test]
fn failures_of_the_same_cause_are_shown_once_and_a_page_of_html_in_part() {
    let page = "<p>no such page</p>".repeat(50);
    let response =
        format!("HTTP/1.1 404 Not Found\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    let url = format!("http://{}", serve(response.leak().as_bytes()));
    let run = ["--run", "path/*"];
    let printed = text(&run_on(&url, &run).stdout);
    assert_eq!(printed.matches("\nFAILED ").count(), 1, "{printed}");
    assert!(printed.contains("FAILED   path/exact (must)"), "{printed}");
    let others = "the same difference in 3 more: path/empty-query, path/any-query, ";
    assert!(printed.contains(others), "{printed}");
    assert!(printed.contains("<p>no suc… and 752 more bytes\n"), "{printed}");
    assert!(printed.len() < 4_000, "{printed}");

    let printed = text(&run_on(&url, &[&run[..], &["--verbose"]].concat()).stdout);
    assert_eq!(printed.matches("\nFAILED ").count(), 4, "{printed}");
    let json = text(&run_on(&url, &[&run[..], &["--format", "json"]].concat()).stdout);
    assert!(json.contains(&page), "JSON has the whole page");
}

#[test]
fn a_failure_is_told_with_rule_request_difference_and_the_way_to_repeat_it() {
    let url = format!("http://{}", serve(HEALTHY));
    let directory = tempfile::tempdir().unwrap();
    let setup = directory.path().join("setup.json");
    fs::write(&setup, r#"{"checks":[{"name":"shop","status":"ERROR"}]}"#).unwrap();
    let setup = setup.to_str().unwrap();
    let output = run_on(&url, &["--setup", setup, "--run", "path/trailing-slash"]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    for words in [
        "FAILED   path/trailing-slash (must)",
        "rule H1 Path: ",
        r"at request 1: GET /health/ HTTP/1.1\r\n",
        "status\n      expected 404\n      got      200",
        &format!(
            "again: health-conformance run --url {url} --setup {setup} --timeout 5 --run path/trailing-slash"
        ),
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    assert!(text(&output.stderr).contains("does not conform: 0 passed, 1 failed"));
    assert!(!printed.contains('\x1b'), "a pipe gets no colours");
}

#[test]
fn a_known_failure_that_passes_is_out_of_date_and_does_not_conform() {
    let directory = tempfile::tempdir().unwrap();
    let known = directory.path().join("known.toml");
    fs::write(&known, "[[known]]\nscenario='path/exact'\nfields=['status']\nreason='r'").unwrap();
    let url = format!("http://{}", serve(HEALTHY));
    let known = known.to_str().unwrap();
    let output = run_on(&url, &["--known", known, "--run", "path/exact"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains(
        "OUT OF DATE known failure \"path/exact\": path/exact does not differ in status"
    ));
    assert!(text(&output.stderr).contains("1 passed, 0 failed, 1 out of date"));
}

#[test]
fn a_should_counts_only_in_a_strict_run_and_a_note_never() {
    let url = format!("http://{}", serve(HEALTHY));
    let run = ["run", "--url", &url, "--run", "path/exact", "--run", "wire/connection-is-kept"];
    let output = command(&run);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("UNMET    wire/connection-is-kept (should)"));
    let output = command(&[&run[..], &["--strict"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("FAILED   wire/connection-is-kept (should)"));

    let notes = ["--run", "path/exact", "--run", "path/percent-encoded", "--strict"];
    let output = run_on(&url, &notes);
    assert_eq!(output.status.code(), Some(0));
    let words = "note     path/percent-encoded: status is 200, not 404";
    assert!(text(&output.stdout).contains(words), "{}", text(&output.stdout));
}

#[test]
fn reports_are_merged_if_they_are_over_the_same_scenarios() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("http://{}", serve(HEALTHY));
    let report = |name: &str, scenarios: &str| {
        let output = run_on(&url, &["--run", scenarios, "--name", name, "--format", "json"]);
        let path = directory.path().join(format!("{}.json", name.replace(' ', "-")));
        fs::write(&path, output.stdout).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (one, two) = (report("one 1.0", "path/any-*"), report("two", "path/any-*"));
    let output = command(&["matrix", &one, &two]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(printed.contains("| scenario | level | one | two |"), "{printed}");
    assert!(printed.contains("| one | one 1.0: "), "{printed}");
    assert!(printed.contains("| path/any-query | must | ok | ok |"), "{printed}");

    let (other, nameless) = (report("other", "path/exact"), report("", "path/any-*"));
    for (reports, words) in [
        ([&one, &other], "contain different scenarios"),
        ([&one, &one], "two reports are named \"one\""),
        ([&one, &nameless], "report 2 has no name"),
    ] {
        let output = command(&["matrix", reports[0], reports[1]]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
    }
}

#[test]
fn junit_has_a_case_for_each_scenario() {
    let url = format!("http://{}", serve(HEALTHY));
    let output = run_on(
        &url,
        &[
            "--run",
            "path/exact",
            "--run",
            "wire/pipelined",
            "--run",
            "panic/head",
            "--format",
            "junit",
        ],
    );
    let printed = text(&output.stdout);
    assert!(printed.starts_with("<?xml"), "{printed}");
    assert!(printed.contains(r#"name="path/exact" classname="H1""#), "{printed}");
    assert!(printed.contains(r#"name="wire/pipelined""#), "{printed}");
    assert!(printed.contains("skipped: needs checks that panic"), "{printed}");
}

#[test]
fn the_list_has_a_line_for_each_scenario_and_each_can_be_explained() {
    let output = command(&["list"]);
    let suite = Suite::builtin().unwrap();
    let printed = text(&output.stdout);
    let ids = printed.lines().map(|line| line.split(' ').next().unwrap());
    assert!(ids.eq(suite.scenarios().map(|scenario| scenario.id())));
    for scenario in suite.scenarios() {
        let explanation = suite.explain(scenario.id()).unwrap();
        for words in [scenario.id(), scenario.title(), scenario.rule(), "why     "] {
            assert!(explanation.contains(words), "{words}: {explanation}");
        }
    }
    let output = command(&["explain", "endpoint/envoy"]);
    assert_eq!(output.status.code(), Some(0));
    for words in [
        "endpoint /envoy: Envoy",
        "start-up latch \"migrations\", held",
        "LOG INFO Health response: STARTING ([\"migrations\"])",
        "The server gets the command RELEASE migrations.",
        "< x-envoy-degraded: true",
        "LOG INFO Health response: DRAINING",
    ] {
        let printed = text(&output.stdout);
        assert!(printed.contains(words), "{words}: {printed}");
    }
    let output = command(&["explain", "verdict/error"]);
    for words in [
        "> GET /health?checks=all HTTP/1.1",
        "< HTTP/1.1 503",
        "< ERROR",
        "LOG ERROR Health response: ERROR ([{",
    ] {
        assert!(text(&output.stdout).contains(words), "{}", text(&output.stdout));
    }
}

#[test]
fn help_alone_tells_how_to_use_it() {
    let general = text(&command(&["--help"]).stdout);
    let run = text(&command(&["run", "--help"]).stdout);
    for words in ["list", "explain", "run", "matrix", "Exit code: 0", "Examples:"] {
        assert!(general.contains(words), "{words}: {general}");
    }
    for words in [
        "HEALTH_SETUP",
        "READY http://127.0.0.1:PORT",
        "[[known]]",
        "[[lacks]]",
        "--disablefile",
        "[default: 5]",
    ] {
        assert!(run.contains(words), "{words}: {run}");
    }
}
