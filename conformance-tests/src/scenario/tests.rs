//! Scenario files that are sound, and that are not.

use std::collections::BTreeSet;
use std::path::Path;

use super::Suite;
use super::load::TOPICS;

const RULES: &str = r#"rule = [{ id = "H1", title = "Path", sentence = "s", poller = "p" }]"#;
const GIVEN: &str = r#"[plain.settings]
    "healthcheck.disablefile" = "{dir}/maintenance"
    [changing]
    checks = [{ name = "db", then = [{ status = "ERROR" }] }]
    [periodic]
    checks = [{ name = "db", every = 9000 }]
    [namesakes]
    checks = [{ name = "db", every = 9000 }, { name = "db" }]
    [hasty]
    checks = [{ name = "db", every = 9 }]
    [optional]
    checks = [{ name = "db", optional = true }]
    [counting]
    checks = [{ name = "db", failure_threshold = 2 }]
    [latched]
    latches = ["a"]
    [changes]
    log = "change"
    [views]
    endpoints = [{ path = "/ready", preset = "readiness" }, { path = "/live", preset = "liveness" }]
    checks = [{ name = "db", then = [{ status = "ERROR" }] }]
    [same-path]
    endpoints = [{ path = "/health", preset = "readiness" }]
    [unknown-check]
    endpoints = [{ path = "/ready", preset = "readiness", checks = ["db"] }]
    [unknown-tag]
    endpoints = [{ path = "/ready", preset = "readiness", tags = ["deep"] }]"#;

/// The problem with one scenario, over a sound one for comparison.
fn problem(scenario: &str) -> String {
    let sound = "id='path/a'\nrule='H1'\nsays='s'\nstep=[{answer='ok'}]";
    let file = format!("[[scenario]]\n{sound}\n[[scenario]]\n{scenario}");
    let error = Suite::load(RULES, GIVEN, &[("path", &file)]).unwrap_err();
    assert!(error.to_string().starts_with("path.toml: "), "{error}");
    error.to_string()
}

#[test]
fn the_suite_loads_and_cites_every_rule() {
    let suite = Suite::builtin().unwrap();
    for rule in suite.rules() {
        let cited = suite.scenarios().filter(|s| s.rule() == rule.id).count();
        assert!(cited >= 2, "{} is cited {cited} times", rule.id);
    }
}

#[test]
fn every_file_of_the_scenarios_directory_is_part_of_the_suite() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let there: BTreeSet<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let topics = TOPICS.map(|(topic, _)| topic);
    let known = topics.into_iter().chain(["setups", "rules"]);
    assert_eq!(there, known.map(str::to_owned).collect());
}

#[test]
fn an_unknown_key_is_an_error() {
    let step = "step=[{answer='ok',warning=1}]";
    let problem = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\n{step}"));
    assert!(problem.contains("unknown field `warning`"), "{problem}");
}

#[test]
fn an_id_used_twice_is_an_error() {
    let problem = problem("id='path/a'\nrule='H1'\nsays='s'\nstep=[{answer='ok'}]");
    assert!(problem.contains("used before"), "{problem}");
}

#[test]
fn a_scenario_that_does_the_same_as_another_is_an_error() {
    let problem = problem("id='path/b'\nrule='H1'\nsays='other'\nstep=[{answer='ok'}]");
    assert!(problem.contains("the same as \"path/a\""), "{problem}");
}

#[test]
fn an_id_of_another_topic_is_an_error() {
    let problem = problem("id='query/a'\nrule='H1'\nsays='s'\nstep=[{answer='ok'}]");
    assert!(problem.contains("must start with"), "{problem}");
}

#[test]
fn a_rule_that_does_not_exist_is_an_error() {
    let problem = problem("id='path/b'\nrule='H99'\nsays='s'\nstep=[{answer='ok'}]");
    assert!(problem.contains("no rule \"H99\""), "{problem}");
}

#[test]
fn a_server_that_does_not_exist_is_an_error() {
    let step = "setup='none'\nstep=[{answer='ok'}]";
    let problem = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\n{step}"));
    assert!(problem.contains("no server \"none\""), "{problem}");
}

#[test]
fn a_scenario_that_shows_nothing_is_an_error() {
    let shown = problem("id='path/b'\nrule='H1'\nsays='s'");
    assert!(shown.contains("no step"), "{shown}");
    let step = "step=[{answer='ok',times=0}]";
    let shown = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\n{step}"));
    assert!(shown.contains("0 times"), "{shown}");
    let step = "start='refused'\nsettings={a='b'}\nstep=[{answer='ok'}]";
    let shown = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\n{step}"));
    assert!(shown.contains("refused"), "{shown}");
}

#[test]
fn a_marker_outside_the_fresh_directory_is_an_error() {
    for (path, marker) in [
        ("/tmp/maintenance", "file"),
        ("{dir}/../maintenance", "file"),
        ("{dir}/", "file"),
        ("{dir}/maintenance", "locked-parent"),
        ("{dir}//maintenance", "file-as-parent"),
    ] {
        let settings = format!("settings={{'healthcheck.disablefile'='{path}'}}");
        let step = format!("step=[{{marker='{marker}',answer='ok'}}]");
        let head = "id='path/b'\nrule='H1'\nsays='s'";
        let problem = problem(&format!("{head}\n{settings}\n{step}"));
        assert!(problem.contains("in {dir}"), "{path}: {problem}");
    }
}

#[test]
fn a_client_and_an_answer_that_do_not_go_together_are_an_error() {
    for step in [
        "client='half-closed',answer='ok'",
        "client='leaves',answer='ok'",
        "client='toggling',answer='ok'",
        "answer='unread'",
        "client='crowd',answer='ok-or-maintenance'",
    ] {
        let shown = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\nstep=[{{{step}}}]"));
        assert!(shown.contains("do not go together"), "{step}: {shown}");
    }
    let step = "step=[{cut=3,answer='ok',target='/b'}]";
    let shown = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\n{step}"));
    assert!(shown.contains("only a client that leaves"), "{shown}");
}

#[test]
fn a_client_that_toggles_elsewhere_is_an_error() {
    let settings = "settings={'healthcheck.disablefile'='/tmp/maintenance'}";
    let step = "step=[{client='toggling',answer='ok-or-maintenance'}]";
    let shown = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\n{settings}\n{step}"));
    assert!(shown.contains("in {dir}"), "{shown}");
}

#[test]
fn a_need_that_is_missing_or_idle_is_an_error() {
    let shown = problem("id='path/b'\nrule='H1'\nsays='s'\nneeds=['panic']\nstep=[{answer='ok'}]");
    assert!(shown.contains("needs \"panic\""), "{shown}");
    let shown = problem("id='path/b'\nrule='H1'\nsays='s'\nneeds=['legs']\nstep=[{answer='ok'}]");
    assert!(shown.contains("unknown variant `legs`"), "{shown}");
}

#[test]
fn what_a_server_needs_has_to_be_said() {
    for (setup, what) in [
        ("periodic", "needs \"background\""),
        ("optional", "needs \"optional\""),
        ("counting", "needs \"thresholds\""),
        ("views", "needs \"endpoints\""),
        ("latched", "needs \"start-up\""),
        ("changes", "needs \"log-policy\""),
    ] {
        let head = "id='path/b'\nrule='H1'\nsays='s'";
        let shown = problem(&format!("{head}\nsetup='{setup}'\nstep=[{{answer='ok'}}]"));
        assert!(shown.contains(what), "{setup}: {shown}");
    }
}

#[test]
fn a_server_in_the_background_that_could_not_be_observed_is_an_error() {
    for (setup, what) in [("namesakes", "have the name \"db\""), ("hasty", "shorter")] {
        let head = "id='path/b'\nrule='H1'\nsays='s'\nneeds=['background']";
        let shown = problem(&format!("{head}\nsetup='{setup}'\nstep=[{{answer='ok'}}]"));
        assert!(shown.contains(what), "{setup}: {shown}");
    }
    let head = "id='path/b'\nrule='H1'\nsays='s'\nstart_checks=1";
    let shown = problem(head);
    assert!(shown.contains("needs \"checks\""), "{shown}");
    let shown = problem(&format!("{head}\nneeds=['checks']"));
    assert!(shown.contains("only checks in the background"), "{shown}");
}

#[test]
fn results_that_are_missing_or_mean_nothing_are_an_error() {
    for (step, what) in [
        ("answer='error'", "the step needs results"),
        ("answer='ok',results=['OK']", "are logged only of"),
        ("answer='error',results=[]", "0 results for 1 checks"),
        ("answer='error',results=['NOK x']", "neither OK nor ERROR"),
    ] {
        let head = "id='path/b'\nrule='H1'\nsays='s'\nsetup='changing'";
        let shown = problem(&format!("{head}\nstep=[{{{step}}}]"));
        assert!(shown.contains(what), "{step}: {shown}");
    }
}

#[test]
fn steps_that_say_what_means_nothing_are_an_error() {
    for (step, what) in [
        ("answer='ok',checks='share'", "at the same time"),
        ("answer='ok',until=true,times=2", "asks again"),
        ("client='kept',answer='ok',until=true", "asks again"),
        ("answer='ok',meanwhile='error'", "without until"),
        ("answer='ok',until=true,meanwhile='unread'", "one answer"),
    ] {
        let shown = problem(&format!("id='path/b'\nrule='H1'\nsays='s'\nstep=[{{{step}}}]"));
        assert!(shown.contains(what), "{step}: {shown}");
    }
}

#[test]
fn endpoints_that_could_not_be_told_apart_or_run_nothing_of_theirs_are_an_error() {
    for (setup, what) in [
        ("same-path", "two endpoints have the path \"/health\""),
        ("unknown-check", "names \"db\", which is no check"),
        ("unknown-tag", "has \"deep\", the tag of no check"),
    ] {
        let head = "id='path/b'\nrule='H1'\nsays='s'\nneeds=['endpoints']";
        let shown = problem(&format!("{head}\nsetup='{setup}'\nstep=[{{answer='ok'}}]"));
        assert!(shown.contains(what), "{setup}: {shown}");
    }
}

#[test]
fn an_answer_that_an_endpoint_cannot_give_is_an_error() {
    let head = "id='path/b'\nrule='H1'\nsays='s'\nneeds=['endpoints']\nsetup='views'";
    for (step, what) in [
        ("target='/live',answer='draining'", "ignores Draining"),
        ("target='/live',answer='error',results=['OK']", "1 results for 0 checks"),
        ("target='/ready',answer='error'", "the step needs results"),
    ] {
        let shown = problem(&format!("{head}\nstep=[{{{step}}}]"));
        assert!(shown.contains(what), "{step}: {shown}");
    }
}

#[test]
fn commands_that_are_not_said_or_mean_nothing_are_an_error() {
    for (head, step, what) in [
        ("", "commands=['DRAIN'],answer='draining'", "needs \"drain\""),
        ("", "commands=['SWITCH on'],answer='ok'", "needs \"switch\""),
        ("needs=['drain']", "commands=['DRAIN'],times=2,answer='ok'", "is done once"),
        ("", "commands=['STOP'],answer='ok'", "is not one of DRAIN"),
        ("", "commands=['RELEASE a'],answer='ok'", "no latch \"a\" is held"),
        (
            "needs=['start-up']\nsetup='latched'",
            "commands=['DROP a','RELEASE a'],answer='ok'",
            "RELEASE a, and no latch \"a\" is held by then",
        ),
        (
            "needs=['drain']",
            "client='interrupted',commands=['DRAIN'],answer='ok'",
            "while checks run",
        ),
        ("", "client='interrupted',checks='start',answer='ok'", "by a command"),
    ] {
        let shown =
            problem(&format!("id='path/b'\nrule='H1'\nsays='s'\n{head}\nstep=[{{{step}}}]"));
        assert!(shown.contains(what), "{step}: {shown}");
    }
}
