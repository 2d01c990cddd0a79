//! The effect of settings on checks, and the warnings and errors at the build (H5, H11).

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::executor::block_on;
use health_core::{
    BuildError, Check, ConfigRule, Endpoint, Health, HealthBuilder, HealthConfig, LogLevel,
    RunChecks,
};

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{in_virtual_time, passing, result};

const SECOND: Duration = Duration::from_secs(1);

/// Settings without a disablefile.
fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> HealthConfig {
    let off = [("healthcheck.disablefile", "")];
    HealthConfig::from_pairs(off.into_iter().chain(pairs)).unwrap()
}

fn variables<const N: usize>(variables: [(&str, &str); N]) -> HealthConfig {
    let off = [("HEALTHCHECK_DISABLEFILE", "")];
    let variables = off.into_iter().chain(variables);
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    HealthConfig::from_variables(variables).unwrap()
}

fn hanging(name: &str) -> Check {
    Check::new(name, pending::<Result<(), String>>)
}

#[test]
fn the_timeout_of_the_settings_is_that_of_checks_without_their_own() {
    let config = pairs([("healthcheck.timeout", "2s")]);
    let (health, time) = in_virtual_time(|builder| {
        builder
            .config(config)
            .timeout(4 * SECOND)
            .register(hanging("default"))
            .register(hanging("own").timeout(3 * SECOND))
    });
    let asker = time.ask(&health);
    time.pass(3 * SECOND);
    assert_eq!(
        asker.results(),
        [
            result("default", "ERROR", Some("timed out after 2s")),
            result("own", "ERROR", Some("timed out after 3s")),
        ]
    );
}

#[test]
fn the_settings_of_a_check_replace_those_of_the_program() {
    for config in [
        pairs([("healthcheck.check.stock-list.timeout", "1s")]),
        variables([("HEALTHCHECK_CHECK_STOCK_LIST_TIMEOUT", "1s")]),
    ] {
        let (health, time) = in_virtual_time(|builder| {
            builder
                .config(config)
                .register(hanging("stock-list").timeout(3 * SECOND))
                .register(hanging("other").timeout(2 * SECOND))
        });
        let asker = time.ask(&health);
        time.pass(2 * SECOND);
        assert_eq!(
            asker.results(),
            [
                result("stock-list", "ERROR", Some("timed out after 1s")),
                result("other", "ERROR", Some("timed out after 2s")),
            ]
        );
    }
}

#[test]
fn a_period_of_the_settings_makes_a_background_check() {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let check = Check::new("database", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        ready(Ok::<(), String>(()))
    });
    let config = pairs([("healthcheck.check.database.every", "1m")]);
    let (health, time) = in_virtual_time(|builder| builder.config(config).register(check));
    health.start_on(time.clone());
    time.settle();
    assert_eq!(executions.load(Ordering::SeqCst), 1);
    for _ in 0..10 {
        assert_eq!(time.ask(&health).body(), "OK");
    }
    assert_eq!(executions.load(Ordering::SeqCst), 1);
    // The second execution comes in the first period, and the third not before 54 seconds more.
    time.pass(60 * SECOND);
    assert_eq!(executions.load(Ordering::SeqCst), 2);
}

fn build(config: HealthConfig) -> Result<Health, BuildError> {
    let builder = Health::builder().config(config);
    builder.register(passing("database")).build()
}

#[test]
fn settings_of_a_check_that_does_not_exist_are_refused_in_a_file() {
    let error = build(pairs([("healthcheck.check.databse.every", "1m")])).unwrap_err();
    let BuildError::Config(error) = error else {
        panic!("{error}");
    };
    assert_eq!(error.key(), "healthcheck.check.databse.every");
    assert_eq!(error.value(), "1m");
    assert!(matches!(error.rule(), ConfigRule::UnknownCheck { .. }));
    assert!(error.to_string().contains("\"database\""), "{error}");
}

#[test]
fn settings_of_a_check_that_does_not_exist_are_a_warning_in_the_environment() {
    let health = build(variables([("HEALTHCHECK_CHECK_DATABSE_TIMEOUT", "1s")])).unwrap();
    let [warning] = health.warnings() else {
        panic!("{:?}", health.warnings());
    };
    assert_eq!(warning.level(), LogLevel::Warn);
    for said in ["HEALTHCHECK_CHECK_DATABSE_TIMEOUT", "HEALTHCHECK_CHECK_DATABASE_EVERY"] {
        assert!(warning.text().contains(said), "{warning}");
    }
}

#[test]
fn a_period_shorter_than_the_timeout_is_refused_from_settings_and_program() {
    let config = pairs([("healthcheck.check.slow.every", "1s")]);
    let builder = Health::builder().config(config);
    let error = builder.register(passing("slow").timeout(2 * SECOND)).build();
    assert!(matches!(error, Err(BuildError::ShortPeriod { .. })), "{error:?}");
}

/// The number of executions of the check for a request to `path` with this query.
fn executions(
    describe: impl FnOnce(HealthBuilder) -> HealthBuilder,
    path: &str,
    query: &str,
) -> usize {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let failing = Check::new("failing", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        ready(Err::<(), _>("down"))
    });
    let time = VirtualTime::default();
    let builder = Health::builder().runtime(time.clone());
    let health = describe(builder).register(failing).build().unwrap();
    let endpoint = health.at(path).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let query = query.to_owned();
    health_core::Runtime::spawn(
        &time,
        Box::pin(async move {
            let response = endpoint.respond(&query).await;
            sender.send(response.status().as_u16()).unwrap();
        }),
    );
    time.settle();
    let executions = executions.load(Ordering::SeqCst);
    let expected = if executions > 0 { 503 } else { 200 };
    assert_eq!(receiver.try_recv(), Ok(expected));
    executions
}

#[test]
fn checks_of_the_main_url_run_when_the_settings_say() {
    for (text, plain, asked) in [("on_request", 0, 1), ("always", 1, 1), ("never", 0, 0)] {
        for (query, expected) in [("", plain), ("checks=all", asked), ("checks=true", asked)] {
            let config = pairs([("healthcheck.run_checks", text)]);
            let counted = executions(|builder| builder.config(config), "/health", query);
            assert_eq!(counted, expected, "{text} {query:?}");
        }
    }
}

#[test]
fn an_endpoint_that_never_runs_its_checks_ignores_the_query() {
    let describe = |run_checks| {
        move |builder: HealthBuilder| {
            let config = HealthConfig::default().with_disablefile("");
            let config = config.with_run_checks(RunChecks::Never);
            let internal = Endpoint::strict("/internal").run_checks(run_checks);
            builder.config(config).endpoint(internal)
        }
    };
    for query in ["", "checks=all"] {
        assert_eq!(executions(describe(RunChecks::Never), "/internal", query), 0);
        assert_eq!(executions(describe(RunChecks::Always), "/internal", query), 1);
        assert_eq!(executions(describe(RunChecks::Always), "/health", query), 0);
    }
}

/// The warnings of endpoints with these settings.
fn warned(config: HealthConfig) -> Vec<String> {
    let health = build(config).unwrap();
    let warnings = health.warnings().iter();
    let texts = warnings.map(|warning| {
        assert_eq!(warning.level(), LogLevel::Warn);
        assert!(!warning.text().contains(char::is_control), "{warning}");
        warning.text().to_owned()
    });
    texts.collect()
}

#[test]
fn a_disablefile_has_one_warning_with_all_that_is_odd_about_it() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing").join("'maintenance'\r");
    let warnings = warned(HealthConfig::default().with_disablefile(&missing));
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}");
    };
    let shown = format!("{missing:?}");
    for said in [&*shown, "does not exist", "carriage return", "healthcheck.disablefile"] {
        assert!(warning.contains(said), "{warning} lacks {said}");
    }
    let sound = directory.path().join("maintenance");
    assert_eq!(warned(HealthConfig::default().with_disablefile(sound)), [""; 0]);
    assert_eq!(warned(HealthConfig::default().with_disablefile("")), [""; 0]);
}

#[test]
fn a_disablefile_that_is_a_directory_counts_and_is_logged_at_warn() {
    let directory = tempfile::tempdir().unwrap();
    let inside = directory.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let config = HealthConfig::default().with_disablefile(&inside);
    let health = build(config).unwrap();
    let [warning] = health.warnings() else {
        panic!("{:?}", health.warnings().len());
    };
    assert_eq!(warning.level(), LogLevel::Warn);
    let shown = format!("{inside:?}");
    for said in [&*shown, "is a directory", "maintenance", "bind mount"] {
        assert!(warning.text().contains(said), "{warning} lacks {said}");
    }
    assert_eq!(block_on(health.respond("")).status(), 299);
}

#[test]
fn codes_below_400_are_accepted_with_a_warning_each() {
    let config =
        pairs([("healthcheck.maintenance_code", "200"), ("healthcheck.failure_code", "299")]);
    let warnings = warned(config);
    let [maintenance, failure] = &warnings[..] else {
        panic!("{warnings:?}");
    };
    assert!(maintenance.contains("healthcheck.maintenance_code = \"200\""), "{maintenance}");
    assert!(failure.contains("healthcheck.failure_code = \"299\""), "{failure}");
}

#[test]
fn a_path_that_no_file_can_have_is_refused_also_where_the_program_sets_it() {
    let config = HealthConfig::default().with_disablefile("/run/shop/a\0b");
    let error = build(config).unwrap_err();
    let BuildError::Config(error) = error else {
        panic!("{error}");
    };
    assert_eq!(error.rule(), &ConfigRule::PathNul);
    assert_eq!(error.key(), "healthcheck.disablefile");
}
