//! The page. The files in `pages` are what it contains after its head, with a line for each block: `UPDATE_PAGES=1` writes them.

use std::path::Path;
use std::time::Duration;

use health_core::{CheckResult, DetailLevel, Endpoint, HealthConfig, StartupLatch, Unit};

use crate::levels::{TOKEN, failing, tokens};
use crate::service::{SECRET, Service, header};

/// What browsers send.
const BROWSER: (&str, &str) =
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

fn page(service: &Service, target: &str) -> String {
    service.get(target, &[BROWSER]).body().to_owned()
}

/// Compares what follows the head with the file `pages/NAME.html`.
fn assert_page(name: &str, page: &str) {
    let (_, body) = page.split_once("</head>").unwrap();
    let mut lines = body.to_owned();
    for block in ["<h1", "<h2", "<h3", "<p", "<ul", "<ol", "<li", "<svg", "<footer"] {
        lines = lines.replace(block, &format!("\n{block}"));
    }
    lines.push('\n');
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/details/pages")
        .join(name)
        .with_extension("html");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&path, &lines).unwrap();
    }
    pretty_assert(&std::fs::read_to_string(&path).unwrap_or_default(), &lines, name);
}

fn pretty_assert(expected: &str, got: &str, name: &str) {
    let different = expected.lines().zip(got.lines()).find(|(expected, got)| expected != got);
    assert_eq!(different, None, "{name}");
    assert_eq!(expected.lines().count(), got.lines().count(), "{name}");
}

#[test]
fn a_failing_endpoint_shows_which_check_fails_first() {
    let service = Service::new(|builder, results, time| {
        let database = results.check(time, "database").owner("the shop team");
        let disk = results.check(time, "disk").optional();
        builder
            .register(results.check(time, "queue"))
            .register(disk)
            .register(database.description("orders and stock").runbook("https://example.com/db"))
            .service("shop", "1.4.2")
            .endpoint(Endpoint::readiness("/ready").details(DetailLevel::Full))
    });
    service.pass(3600.0);
    service.get("/ready", &[]);
    let failure = CheckResult::error("no route to 10.0.0.7\nafter 3 attempts").reason("refused");
    service.set("database", 30, failure.value("open_connections", 0.0, Unit::Count));
    let full = CheckResult::degraded("86 % used").value("used", 0.86, Unit::Ratio);
    service.set("disk", 4, full.value("free", 15_032_385_536.0, Unit::Bytes));
    service.pass(65.0);
    service.get("/ready", &[]);
    service.pass(2.0);
    assert_page("failing", &page(&service, "/ready"));
}

#[test]
fn an_endpoint_without_checks_says_so() {
    let service = Service::new(|builder, _, _| builder.details(DetailLevel::States));
    service.pass(100_000.0);
    assert_page("no-checks", &page(&service, "/health"));
}

/// Its runs are at random times, at most a tenth of the period apart from it.
#[test]
fn a_shared_background_check_has_its_period_and_counts_by_circumstances() {
    let service = Service::new(|builder, results, time| {
        let disk = results.check(time, "disk").every(Duration::from_secs(90)).shared();
        builder.register(disk).endpoint(Endpoint::readiness("/ready").details(DetailLevel::States))
    });
    service.pass(100.0);
    let ok = page(&service, "/ready");
    assert!(ok.contains("<p>Shared. Since ") && ok.contains(" Runs every 1 min 30 s.</p>"), "{ok}");
    service.set("disk", 1, CheckResult::error("gone"));
    service.pass(100.0);
    let failed = page(&service, "/ready");
    assert!(failed.contains("<p>Shared, now optional. Since "), "{failed}");
}

#[test]
fn checks_that_were_not_run_are_last_results() {
    let service = Service::new(|builder, results, time| {
        builder.register(results.check(time, "database")).details(DetailLevel::States)
    });
    let before = page(&service, "/health");
    assert!(before.contains("This request ran no check: these are the last results."), "{before}");
    assert!(before.contains("<b>Not run yet</b>"), "{before}");
    assert!(
        before.contains("No poller has asked yet. The response to this request is <b>200 OK</b>.")
    );
    service.pass(1.0);
    assert_page("last-results", &page(&service, "/health?checks=all"));
}

#[test]
fn the_start_shows_the_latches() {
    let [migrations, cache] = ["migrations", "cache"].map(StartupLatch::new);
    let service = Service::new(|builder, _, _| {
        builder
            .latch(&migrations)
            .latch(&cache)
            .endpoint(Endpoint::readiness("/ready").details(DetailLevel::Full))
    });
    service.pass(1.5);
    assert_page("starting", &page(&service, "/ready"));
    cache.fail("no such bucket");
    assert_page("start-failed", &page(&service, "/ready"));
}

#[test]
fn maintenance_says_how_it_ends() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display().to_string();
    let text = |level: DetailLevel, disablefile: &str, is_on: bool| {
        let service = Service::new(|builder, _, _| {
            builder
                .config(HealthConfig::default().with_disablefile(disablefile))
                .endpoint(Endpoint::readiness("/ready").details(level))
        });
        if is_on {
            service.health.maintenance_switch().turn_on();
        }
        let page = page(&service, "/ready");
        let (_, text) = page.split_once("To end the maintenance, ").unwrap();
        text.split_once("</p>").unwrap().0.replace(&path, "PATH")
    };
    let other = ", or end it in the other source that has started it.";
    assert_eq!(text(DetailLevel::States, &path, false), format!("remove the disablefile{other}"));
    assert_eq!(
        text(DetailLevel::Full, &path, false),
        format!("remove the file <bdi>PATH</bdi>{other}")
    );
    let switch = "turn off the switch of the program. If";
    assert_eq!(
        text(DetailLevel::States, &path, true),
        format!("{switch} the disablefile exists, remove it too.")
    );
    assert_eq!(
        text(DetailLevel::Full, &path, true),
        format!("{switch} the file <bdi>PATH</bdi> exists, remove it too.")
    );
    assert_eq!(text(DetailLevel::Full, "", true), "turn off the switch of the program.");
}

#[test]
fn only_the_full_level_shows_what_may_be_secret() {
    let service =
        failing(|endpoint| endpoint.details(DetailLevel::States).full_details_for(&tokens()));
    for target in ["/ready", "/ready?format=html-still"] {
        let response = service.get(target, &[BROWSER]);
        assert!(response.body().contains("Reason: <bdi>refused</bdi>"), "{}", response.body());
        let everything = format!("{:?}{}", response.headers().collect::<Vec<_>>(), response.body());
        assert!(!everything.contains(SECRET) && !everything.contains("4711"), "{everything}");
    }
    let response = service.get("/ready", &[BROWSER, ("Authorization", TOKEN)]);
    for text in [
        format!("<p class=\"t\"><bdi>{SECRET}</bdi></p>"),
        format!("<a href=\"https://example.com/{SECRET}\" rel=\"noreferrer\">"),
        format!("Tests <bdi>{SECRET}</bdi>. Owner: <bdi>{SECRET}</bdi>."),
        format!(" of <bdi>{SECRET}</bdi> <bdi>{SECRET}</bdi>, up for "),
        "<bdi>hunter2</bdi> <b>4711</b>".to_owned(),
    ] {
        assert!(response.body().contains(&text), "{text} in {}", response.body());
    }
}

#[test]
fn the_headers_allow_nothing_but_the_style() {
    let service = Service::new(|builder, _, _| builder.details(DetailLevel::States));
    let response = service.get("/health", &[BROWSER]);
    let value = |name| header(&response, name).unwrap();
    assert_eq!(value("content-type"), "text/html; charset=utf-8");
    assert_eq!(value("content-length"), response.body().len().to_string());
    assert_eq!(value("cache-control"), "no-store");
    assert_eq!(value("vary"), "accept");
    let policy = value("content-security-policy");
    let (start, end) = policy.split_once("'sha256-").unwrap();
    assert_eq!(start, "default-src 'none'; style-src ");
    let (_, end) = end.split_once("'; ").unwrap();
    assert_eq!(end, "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
}

#[test]
fn the_page_loads_itself_again_unless_it_is_still() {
    let service = Service::new(|builder, results, time| {
        builder.register(results.check(time, "database")).details(DetailLevel::States)
    });
    let refresh = r#"<meta http-equiv="refresh" content="5">"#;
    let moving = page(&service, "/health?format=html");
    assert!(moving.contains(refresh) && moving.contains(r#"<a href="?format=html-still">"#));
    let still = page(&service, "/health?format=html-still&checks=all");
    assert!(
        !still.contains(refresh) && still.contains(r#"<a href="?checks=all&amp;format=html">"#),
        "{still}"
    );
}

#[test]
fn a_hundred_checks_with_all_their_history_are_a_page_of_at_most_64_kib() {
    let sized = |checks: usize| {
        let names: Vec<&'static str> =
            (0..checks).map(|index| &*format!("upstream-{index:03}").leak()).collect();
        let service = Service::new(|builder, results, time| {
            let checks = names.iter().map(|name| results.check(time, name));
            checks
                .fold(builder, |builder, check| builder.register(check))
                .endpoint(Endpoint::readiness("/ready").details(DetailLevel::Full))
        });
        for run in 0..60_u64 {
            for (index, name) in (0..).zip(&names) {
                // Durations without a pattern; every tenth check fails at times, with a message.
                let milliseconds = (run * 7919 + index * 104_729) % 97 % 23;
                let result = match (index % 10, run % 9) {
                    (0, 0..3) => CheckResult::error("connect: no route to host").reason("refused"),
                    _ => CheckResult::ok(),
                };
                service.set(name, milliseconds, result);
            }
            service.pass(10.0);
            service.get("/ready", &[]);
        }
        page(&service, "/ready").len()
    };
    let size = sized(100);
    assert!(size <= 64 * 1024, "{size}");
    println!("{size} bytes");
}
