//! A correct response, and one error in it at a time.

use super::{Asked, judge, judge_refusal, judge_warnings};
use crate::client::behaviour::Exchanged;
use crate::client::{Request, Response};
use crate::judge::history::History;
use crate::scenario::capability::Lacks;
use crate::scenario::{Scenario, Suite};
use crate::setup::Setup;
use crate::target::journal::Line;

const RESULTS: &str = r#"[{"name":"database-check","status":"OK","message":null},{"name":"queue-check","status":"ERROR","message":"jobs-behind: 87"},{"name":"search-check","status":"OK","message":null}]"#;

/// A request, what a right server does with it, and room to break that.
struct Case {
    scenario: Scenario,
    is_head: bool,
    history: History,
    response: Response,
    lines: Vec<Line>,
}

impl Case {
    fn new(id: &str, status: u16, word: &str, lines: Vec<Line>) -> Self {
        let suite = Suite::builtin().unwrap();
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("content-type", "text/plain; charset=utf-8"),
            header("content-length", &word.len().to_string()),
            header("cache-control", "no-store"),
            header("x-content-type-options", "nosniff"),
            header("date", "Sun, 22 Nov 2026 18:25:24 GMT"),
        ];
        Self {
            scenario: suite.matching(id).next().unwrap().clone(),
            is_head: false,
            history: History::default(),
            response: Response {
                status,
                reason: "Some Reason".to_owned(),
                headers,
                body: word.into(),
            },
            lines,
        }
    }

    /// A failing check between two that pass.
    fn error() -> Self {
        let checks = ["database-check", "queue-check", "search-check"];
        let starts = checks.map(|name| Line::Check(name.to_owned()));
        let mut case = Self::new("query/runs-all", 503, "ERROR", starts.into());
        case.lines.push(error_record(RESULTS));
        case
    }

    fn maintenance() -> Self {
        let record = log("INFO", "Health response: MAINTENANCE");
        Self::new("header/maintenance", 299, "MAINTENANCE", vec![record])
    }

    fn ok() -> Self {
        Self::new("path/exact", 200, "OK", Vec::new())
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.response.headers.retain(|(header, _)| header != name);
        let header = (name.to_owned(), value.to_owned());
        self.response.headers.push(header);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.response.headers.retain(|(header, _)| header != name);
        self
    }

    fn with(mut self, break_it: impl FnOnce(&mut Self)) -> Self {
        break_it(&mut self);
        self
    }

    /// The fields that differ.
    fn fields(self) -> Vec<String> {
        let request = Request { is_head: self.is_head, asks_to_close: true, bytes: Vec::new() };
        let (step, setup) = (&self.scenario.steps[0], &self.scenario.setup);
        let exchanged = Exchanged {
            answered: vec![(step.response, self.response.clone())],
            ..Exchanged::default()
        };
        let lacks = Lacks::new();
        let asked = Asked { step, setup, lacks: &lacks, history: &self.history };
        let mismatches = judge(&asked, &request, &exchanged, &self.lines);
        mismatches.into_iter().map(|mismatch| mismatch.field).collect()
    }
}

fn log(level: &str, text: &str) -> Line {
    Line::Log { level: level.to_owned(), text: text.to_owned() }
}

fn error_record(results: &str) -> Line {
    log("ERROR", &format!("Health response: ERROR ({results})"))
}

#[test]
fn what_a_right_server_does_is_right() {
    let head = Case::error().with(|case| {
        case.is_head = true;
        case.response.body.clear();
    });
    for case in [Case::error(), Case::maintenance(), Case::ok(), head] {
        assert_eq!(case.fields(), Vec::<String>::new());
    }
}

#[test]
fn each_thing_that_is_wrong_with_a_response_is_told() {
    let secret = |value: &str| Case::error().set("x-detail", value);
    for (case, fields) in [
        (Case::ok().with(|c| c.response.status = 204), &["status"][..]),
        (Case::ok().with(|c| c.response.body = b"Ok".into()), &["body"]),
        (Case::ok().with(|c| c.is_head = true), &["body"]),
        (Case::ok().without("cache-control"), &["header cache-control"]),
        (Case::ok().set("content-length", "3"), &["header content-length"]),
        (Case::ok().set("content-type", "text/plain"), &["header content-type"]),
        (Case::ok().set("location", "/"), &["header location"]),
        (Case::ok().set("transfer-encoding", "chunked"), &["header transfer-encoding"]),
        (
            Case::ok().with(|c| c.response.headers.push(c.response.headers[3].clone())),
            &["header x-content-type-options"],
        ),
        (secret("queue-check"), &["secrecy"]),
        (secret("JOBS-BEHIND:"), &["secrecy"]),
        (Case::error().set("x-search-check", "1"), &["secrecy"]),
        (Case::error().with(|c| c.response.reason = "queue-check".to_owned()), &["secrecy"]),
        (Case::maintenance().with(|c| c.response.status = 200), &["status"]),
    ] {
        let shown = format!("{:?} {:?}", case.response, case.lines);
        assert_eq!(case.fields(), fields, "{shown}");
    }
}

#[test]
fn each_thing_that_is_wrong_with_the_lines_is_told() {
    let record = |results: &str| {
        let record = error_record(results);
        Case::error().with(|case| case.lines[3] = record)
    };
    let line = |line: Line| Case::ok().with(|case| case.lines.push(line));
    let removed = |index: usize| Case::error().with(|case| drop(case.lines.remove(index)));
    for (case, fields) in [
        (line(Line::Check("database-check".to_owned())), &["checks started"][..]),
        (line(log("INFO", "Health response: OK")), &["log"]),
        (line(log("WARN", "something")), &["log records at WARN"; 2]),
        (removed(1), &["checks started"]),
        (removed(3), &["log"]),
        (Case::error().with(|case| case.lines.push(error_record(RESULTS))), &["log"]),
        (
            Case::error().with(|case| case.lines[3] = log("WARN", RESULTS)),
            &["log records at WARN", "log"],
        ),
        (record("[]"), &["log number of results"]),
        (record("nothing"), &["log results"]),
        (record(&RESULTS.replace("},{", "}, {")), &["log results"]),
        (record(&RESULTS.replace("87", "8\u{1b}7")), &["log text", "log results"]),
        (record(&RESULTS.replace("null", "\"\"")), &["log result 1", "log result 3"]),
        (record(&RESULTS.replace("ERROR", "NOK")), &["log result 2"]),
        (
            record(
                &RESULTS
                    .replace(r#""status":"OK","message":null"#, r#""message":null,"status":"OK""#),
            ),
            &["log result 1", "log result 3"],
        ),
    ] {
        let shown = format!("{:?}", case.lines);
        assert_eq!(case.fields(), fields, "{shown}");
    }
}

/// The fields that differ for this response to the first step of a scenario, with these lines.
fn fields(id: &str, status: u16, is_later: bool, lines: &[Line]) -> Vec<String> {
    let word = if status == 200 { "OK" } else { "ERROR" };
    let mut case = Case::new(id, status, word, lines.to_vec());
    case.history.is_asked = is_later;
    case.fields()
}

fn start(name: &str) -> Line {
    Line::Check(name.to_owned())
}

fn result(name: &str, status: &str, message: &str) -> String {
    format!(r#"{{"name":"{name}","status":"{status}","message":{message}}}"#)
}

#[test]
fn a_degraded_answer_is_one_record_at_warn() {
    let starts = ["database-check", "queue-check", "search-check"].map(start);
    let results = [
        result("database-check", "OK", "null"),
        result("queue-check", "ERROR", r#""jobs-behind: 87""#),
        result("search-check", "OK", r#""lag: 3""#),
    ];
    let results = results.join(",");
    let record = |level: &str, word: &str| {
        let text = format!("Health response: {word} ([{results}])");
        [&starts[..], &[log(level, &text)]].concat()
    };
    let fields = |lines: &[Line]| fields("optional/fails", 200, false, lines);
    assert_eq!(fields(&record("WARN", "DEGRADED")), Vec::<String>::new());
    assert_eq!(fields(&record("ERROR", "DEGRADED")), ["log"]);
    assert_eq!(fields(&record("WARN", "ERROR")), ["log text"]);
    assert_eq!(fields(&starts), ["log"]);
}

#[test]
fn a_check_that_exceeds_its_timeout_may_be_still_running_for_the_next_request() {
    let lines = |message: &str, starts: &[&str]| {
        let results = [
            result("database-check", "OK", "null"),
            result("queue-check", "ERROR", message),
            result("search-check", "ERROR", r#""index is gone""#),
        ];
        let starts = starts.iter().map(|name| start(name));
        let record = error_record(&format!("[{}]", results.join(",")));
        starts.chain([record]).collect::<Vec<_>>()
    };
    let all = ["database-check", "queue-check", "search-check"];
    let others = ["database-check", "search-check"];
    let (late, running) = (r#""timed out after 1 s""#, r#""still running since 1 s""#);
    for (message, starts, is_later, expected) in [
        (late, &all[..], false, &[][..]),
        (late, &all, true, &[]),
        (running, &others, true, &[]),
        (running, &all, false, &["log result 2"]),
        (late, &others, false, &["checks started"]),
        ("null", &all, true, &["log result 2"]),
        (late, &all[..2], true, &["checks started"]),
    ] {
        let lines = lines(message, starts);
        let differ = fields("timeout/hanging", 503, is_later, &lines);
        assert_eq!(differ, expected, "{lines:?}");
    }
}

/// The fields that differ for this response to a step of a scenario, after the commands before it.
fn fields_of_step(
    id: &str,
    step: usize,
    answer: (u16, &str),
    case: fn(Case) -> Case,
) -> Vec<String> {
    let mut case = case(Case::new(id, answer.0, answer.1, Vec::new()));
    case.history = History::of(&case.scenario.setup);
    let steps = case.scenario.steps.clone();
    for command in steps[..=step].iter().flat_map(|step| &step.commands) {
        case.history.apply(command, std::time::Instant::now());
    }
    case.scenario.steps = vec![steps[step].clone()];
    case.fields()
}

#[test]
fn an_endpoint_answers_and_logs_by_its_preset_and_its_state() {
    const MAINTENANCE: usize = 4;
    let fields = |answer, case| fields_of_step("endpoint/envoy", MAINTENANCE, answer, case);
    fn right(case: Case) -> Case {
        let record = log("INFO", "Health response: MAINTENANCE");
        let case = case.set("x-envoy-immediate-health-check-fail", "true");
        case.with(|case| case.lines.push(record))
    }
    let told = (503, "MAINTENANCE");
    assert_eq!(fields(told, right), Vec::<String>::new());
    let immediate = "header x-envoy-immediate-health-check-fail";
    assert_eq!(fields(told, |case| case), [immediate, "log"]);
    assert_eq!(fields((299, "MAINTENANCE"), right), ["status"]);
    let other = fields((503, "DRAINING"), right);
    assert_eq!(other, ["body", "header content-length"]);
    for name in ["retry-after", "x-envoy-degraded"] {
        let header = format!("header {name}");
        let more = fields(
            told,
            match name {
                "retry-after" => |case| right(case).set("retry-after", "9"),
                _ => |case| right(case).set("x-envoy-degraded", "true"),
            },
        );
        assert_eq!(more, [header]);
    }
}

#[test]
fn a_start_up_is_logged_with_the_latches_that_are_held_and_none_of_them_is_on_the_wire() {
    let id = "startup/until-all-are-released";
    let fields = |case| fields_of_step(id, 1, (503, "STARTING"), case);
    fn record(case: Case, latches: &str) -> Case {
        let text = format!("Health response: STARTING ({latches})");
        case.with(|case| case.lines.push(log("INFO", &text)))
    }
    let right: fn(Case) -> Case = |case| record(case, r#"["cache-warm-up"]"#);
    assert_eq!(fields(right), Vec::<String>::new());
    for wrong in [
        (|case| record(case, r#"["migrations","cache-warm-up"]"#)) as fn(Case) -> Case,
        |case| record(case, "[ \"cache-warm-up\" ]"),
        |case| case,
    ] {
        assert_eq!(fields(wrong), ["log"]);
    }
    let told: fn(Case) -> Case = |case| {
        let case = record(case, r#"["cache-warm-up"]"#);
        case.set("x-waits-for", "cache-warm-up")
    };
    assert_eq!(fields(told), ["secrecy"]);
}

#[test]
fn a_warning_has_to_name_the_disablefile() {
    let mut setup = Setup::default();
    let key = "healthcheck.disablefile".to_owned();
    setup.settings.insert(key, "/srv/a\0b".to_owned());
    for (text, count) in [
        ("cannot stat '/srv/a\\x00b'", 0),
        ("cannot stat \"/srv/a\\u{0}b\"", 0),
        ("cannot stat /srv/a\\u0000b", 0),
        ("cannot stat the file", 1),
    ] {
        let mut mismatches = Vec::new();
        judge_warnings("warnings", (1, 1), &setup, &[log("WARN", text)], &mut mismatches);
        assert_eq!(mismatches.len(), count, "{text}");
    }
}

#[test]
fn a_refusal_names_key_value_and_rule() {
    fn count(key: &str, value: &str, message: &str) -> usize {
        judge_refusal(key, value, message).len()
    }
    let (key, rule) = ("healthcheck.url", "must not be like this");
    for (value, shown) in [
        ("", "\"\""),
        ("health", "'health'"),
        ("/a\u{1}", "'/a\\x01'"),
        ("/a\u{1}", "\"/a\\u0001\""),
        ("/a\n", "`/a\\n`"),
        ("/ü\\", "\"/ü\\\\\""),
    ] {
        let message = format!("{key} = {shown}: {rule}");
        assert_eq!(count(key, value, &message), 0, "{message}");
    }
    assert_eq!(count(key, "health", "healthcheck.url must start with a slash"), 1);
    assert_eq!(count(key, "", "healthcheck.url must start with a slash"), 1);
    assert_eq!(count(key, "/x", "'/x' must not be like this"), 1);
    assert_eq!(count(key, "/x", "healthcheck.url = '/x'"), 1);
}
