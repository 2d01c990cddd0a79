//! Valid and invalid scenario files.

use std::collections::BTreeSet;
use std::path::Path;

use super::Suite;
use super::load::TOPICS;

const RULES: &str = r#"rule = [{ id = "H1", title = "Path", sentence = "s", why = "p" }]"#;
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
    [peers]
    checks = [{ name = "db", every = 9000, optional = true, behaviour = "peers" }]
    [two-peers]
    checks = [
        { name = "a", every = 9000, optional = true, behaviour = "peers" },
        { name = "b", every = 9000, optional = true, behaviour = "peers" },
    ]
    [required-peers]
    checks = [{ name = "db", every = 9000, behaviour = "peers" }]
    [latched]
    latches = ["a"]
    [draining]
    drain = { at_least = 9, at_most = 99 }
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

/// The problem with one scenario, with a valid one for comparison.
fn problem(scenario: &str) -> String {
    let valid = "id='path/a'\nrule='H1'\ntitle='s'\nstep=[{response='ok'}]";
    let file = format!("[[scenario]]\n{valid}\n[[scenario]]\n{scenario}");
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
    let step = "step=[{response='ok',warning=1}]";
    let problem = problem(&format!("id='path/b'\nrule='H1'\ntitle='s'\n{step}"));
    assert!(problem.contains("unknown field `warning`"), "{problem}");
}

#[test]
fn an_id_used_twice_is_an_error() {
    let problem = problem("id='path/a'\nrule='H1'\ntitle='s'\nstep=[{response='ok'}]");
    assert!(problem.contains("not unique"), "{problem}");
}

#[test]
fn a_scenario_that_does_the_same_as_another_is_an_error() {
    let problem = problem("id='path/b'\nrule='H1'\ntitle='other'\nstep=[{response='ok'}]");
    assert!(problem.contains("steps as \"path/a\""), "{problem}");
}

#[test]
fn an_id_of_another_topic_is_an_error() {
    let problem = problem("id='query/a'\nrule='H1'\ntitle='s'\nstep=[{response='ok'}]");
    assert!(problem.contains("must start with"), "{problem}");
}

#[test]
fn a_rule_that_does_not_exist_is_an_error() {
    let problem = problem("id='path/b'\nrule='H99'\ntitle='s'\nstep=[{response='ok'}]");
    assert!(problem.contains("no rule \"H99\""), "{problem}");
}

#[test]
fn a_server_that_does_not_exist_is_an_error() {
    let step = "setup='none'\nstep=[{response='ok'}]";
    let problem = problem(&format!("id='path/b'\nrule='H1'\ntitle='s'\n{step}"));
    assert!(problem.contains("no setup \"none\""), "{problem}");
}

#[test]
fn a_scenario_that_shows_nothing_is_an_error() {
    let shown = problem("id='path/b'\nrule='H1'\ntitle='s'");
    assert!(shown.contains("no steps"), "{shown}");
    let step = "step=[{response='ok',times=0}]";
    let shown = problem(&format!("id='path/b'\nrule='H1'\ntitle='s'\n{step}"));
    assert!(shown.contains("times = 0"), "{shown}");
    let step = "start='refused'\nsettings={a='b'}\nstep=[{response='ok'}]";
    let shown = problem(&format!("id='path/b'\nrule='H1'\ntitle='s'\n{step}"));
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
        let step = format!("step=[{{marker='{marker}',response='ok'}}]");
        let head = "id='path/b'\nrule='H1'\ntitle='s'";
        let problem = problem(&format!("{head}\n{settings}\n{step}"));
        assert!(problem.contains("in {dir}"), "{path}: {problem}");
    }
}

#[test]
fn a_client_that_does_not_fit_the_response_is_an_error() {
    for step in [
        "client='half-closed',response='ok'",
        "client='leaves',response='ok'",
        "client='toggling',response='ok'",
        "response='unread'",
        "client='crowd',response='ok-or-maintenance'",
    ] {
        let shown = problem(&format!("id='path/b'\nrule='H1'\ntitle='s'\nstep=[{{{step}}}]"));
        assert!(shown.contains("cannot be combined"), "{step}: {shown}");
    }
    let step = "step=[{cut=3,response='ok',target='/b'}]";
    let shown = problem(&format!("id='path/b'\nrule='H1'\ntitle='s'\n{step}"));
    assert!(shown.contains("cut needs client"), "{shown}");
}

#[test]
fn a_client_that_toggles_elsewhere_is_an_error() {
    let settings = "settings={'healthcheck.disablefile'='/tmp/maintenance'}";
    let step = "step=[{client='toggling',response='ok-or-maintenance'}]";
    let shown = problem(&format!("id='path/b'\nrule='H1'\ntitle='s'\n{settings}\n{step}"));
    assert!(shown.contains("in {dir}"), "{shown}");
}

#[test]
fn a_need_that_is_missing_or_idle_is_an_error() {
    let shown =
        problem("id='path/b'\nrule='H1'\ntitle='s'\nneeds=['panic']\nstep=[{response='ok'}]");
    assert!(shown.contains("needs must contain \"panic\""), "{shown}");
    let shown =
        problem("id='path/b'\nrule='H1'\ntitle='s'\nneeds=['legs']\nstep=[{response='ok'}]");
    assert!(shown.contains("unknown variant `legs`"), "{shown}");
}

#[test]
fn a_missing_need_is_an_error() {
    for (setup, what) in [
        ("periodic", "needs must contain \"background\""),
        ("optional", "needs must contain \"optional\""),
        ("counting", "needs must contain \"thresholds\""),
        ("views", "needs must contain \"endpoints\""),
        ("latched", "needs must contain \"start-up\""),
        ("changes", "needs must contain \"log-policy\""),
    ] {
        let head = "id='path/b'\nrule='H1'\ntitle='s'";
        let shown = problem(&format!("{head}\nsetup='{setup}'\nstep=[{{response='ok'}}]"));
        assert!(shown.contains(what), "{setup}: {shown}");
    }
}

#[test]
fn a_server_in_the_background_that_could_not_be_observed_is_an_error() {
    for (setup, what) in [("namesakes", "have the name \"db\""), ("hasty", "shorter")] {
        let head = "id='path/b'\nrule='H1'\ntitle='s'\nneeds=['background']";
        let shown = problem(&format!("{head}\nsetup='{setup}'\nstep=[{{response='ok'}}]"));
        assert!(shown.contains(what), "{setup}: {shown}");
    }
    let head = "id='path/b'\nrule='H1'\ntitle='s'\nstart_checks=1";
    let shown = problem(head);
    assert!(shown.contains("needs the capability \"checks\""), "{shown}");
    let shown = problem(&format!("{head}\nneeds=['checks']"));
    assert!(shown.contains("needs a background check"), "{shown}");
}

#[test]
fn missing_or_meaningless_results_are_an_error() {
    for (step, what) in [
        ("response='error'", "the step needs results"),
        ("response='ok',results=['OK']", "are logged only for"),
        ("response='error',results=[]", "0 results for 1 checks"),
        ("response='error',results=['NOK x']", "neither OK, DEGRADED nor ERROR"),
    ] {
        let head = "id='path/b'\nrule='H1'\ntitle='s'\nsetup='changing'";
        let shown = problem(&format!("{head}\nstep=[{{{step}}}]"));
        assert!(shown.contains(what), "{step}: {shown}");
    }
}

#[test]
fn meaningless_steps_are_an_error() {
    for (step, what) in [
        ("response='ok',checks='share'", "concurrent requests"),
        ("response='ok',until=true,times=2", "until needs"),
        ("client='kept',response='ok',until=true", "until needs"),
        ("response='ok',meanwhile='error'", "meanwhile needs until"),
        ("response='ok',until=true,meanwhile='unread'", "meanwhile cannot be"),
    ] {
        let shown = problem(&format!("id='path/b'\nrule='H1'\ntitle='s'\nstep=[{{{step}}}]"));
        assert!(shown.contains(what), "{step}: {shown}");
    }
}

#[test]
fn ambiguous_endpoints_and_unknown_checks_are_an_error() {
    for (setup, what) in [
        ("same-path", "two endpoints have the path \"/health\""),
        ("unknown-check", "names \"db\", but there is no such check"),
        ("unknown-tag", "has the tag \"deep\", but no check has it"),
    ] {
        let head = "id='path/b'\nrule='H1'\ntitle='s'\nneeds=['endpoints']";
        let shown = problem(&format!("{head}\nsetup='{setup}'\nstep=[{{response='ok'}}]"));
        assert!(shown.contains(what), "{setup}: {shown}");
    }
}

#[test]
fn a_response_that_an_endpoint_never_sends_is_an_error() {
    let head = "id='path/b'\nrule='H1'\ntitle='s'\nneeds=['endpoints']\nsetup='views'";
    for (step, what) in [
        ("target='/live',response='draining'", "ignores Draining"),
        ("target='/live',response='error',results=['OK']", "1 results for 0 checks"),
        ("target='/ready',response='error'", "the step needs results"),
    ] {
        let shown = problem(&format!("{head}\nstep=[{{{step}}}]"));
        assert!(shown.contains(what), "{step}: {shown}");
    }
}

#[test]
fn commands_without_need_or_effect_are_an_error() {
    for (head, step, what) in [
        ("", "commands=['DRAIN'],response='draining'", "needs must contain \"drain\""),
        ("", "commands=['SWITCH on'],response='ok'", "needs must contain \"switch\""),
        ("needs=['drain']", "commands=['DRAIN'],times=2,response='ok'", "needs times = 1"),
        ("", "commands=['STOP'],response='ok'", "is not one of DRAIN"),
        ("", "commands=['RELEASE a'],response='ok'", "no latch \"a\" is held"),
        (
            "needs=['start-up']\nsetup='latched'",
            "commands=['DROP a','RELEASE a'],response='ok'",
            "RELEASE a: no latch \"a\" is held at this step",
        ),
        (
            "needs=['drain']",
            "client='interrupted',commands=['DRAIN'],response='ok'",
            "checks that run",
        ),
        ("", "client='interrupted',checks='start',response='ok'", "needs a command"),
        ("", "commands=['PEERS fail a'],response='ok'", "no check exchanges views with peers"),
        (
            "needs=['background','optional']\nsetup='peers'",
            "response='ok'",
            "needs must contain \"peers\"",
        ),
        (
            "needs=['background','optional','peers']\nsetup='two-peers'",
            "response='ok'",
            "\"b\" is a second check that exchanges views with peers",
        ),
        (
            "needs=['background','peers']\nsetup='required-peers'",
            "response='ok'",
            "it needs a period, and optional",
        ),
    ] {
        let shown =
            problem(&format!("id='path/b'\nrule='H1'\ntitle='s'\n{head}\nstep=[{{{step}}}]"));
        assert!(shown.contains(what), "{step}: {shown}");
    }
}

#[test]
fn steps_that_could_not_show_the_end_of_a_drain_are_an_error() {
    let application = "needs=['application']\n";
    let draining = "needs=['drain','drain-end']\nsetup='draining'\n";
    for (head, step, what) in [
        ("", "target='/application',response='application'", "needs must contain \"application\""),
        (application, "target='/slow',response='application'", "read only if FINISH interrupts"),
        (application, "target='/stream',response='not-found'", "read only if FINISH interrupts"),
        (
            application,
            "target='/application',response='ok'},{target='/b',response='application'",
            "the application has no page /b",
        ),
        ("setup='draining'", "response='ok'", "needs must contain \"drain-end\""),
        ("", "response='ok',drain='lasts'", "needs the command DRAIN before"),
        (
            "needs=['drain']",
            "commands=['DRAIN'],response='draining',drain='ends'",
            "and a setup with drain",
        ),
        (
            draining,
            "commands=['DRAIN'],response='draining',drain='lasts',after_poll=9",
            "after_poll needs drain = \"ends\"",
        ),
        (
            draining,
            "commands=['DRAIN'],client='polls',response='draining',drain='ends'",
            "needs a poll before",
        ),
        (
            draining,
            "response='ok'},{commands=['DRAIN'],client='polls',response='draining'",
            "cannot be combined",
        ),
    ] {
        let shown =
            problem(&format!("id='path/b'\nrule='H1'\ntitle='s'\n{head}\nstep=[{{{step}}}]"));
        assert!(shown.contains(what), "{step}: {shown}");
    }
}
