//! Names and texts that try to be something else in a document.

use health_core::{Check, CheckResult, DetailLevel, Endpoint, HealthCheckEvent, Unit};

use crate::service::Service;

/// A service whose subscriber reports repeated names, names that other parts of a document have, and names with line breaks.
fn service() -> Service {
    Service::new(|builder, _, _| {
        let event = Check::event("disks", |event: &mut HealthCheckEvent| {
            for name in
                ["a", "a", "a-2", "state", "x ok\n[+]forged", "\u{202e}\u{2028}[+]\r", "k:v"]
            {
                let value = CheckResult::ok().value("free", 1.0, Unit::Bytes);
                event.result(name, value.message("m\n[-]forged \"}"));
            }
        });
        let state = Check::new("state", || async { Err::<(), _>("line\nready check passed") });
        let endpoint = Endpoint::readiness("/ready").details(DetailLevel::Full);
        builder.register(event).register(state).endpoint(endpoint)
    })
}

fn body(format: &str) -> String {
    service().get(&format!("/ready?format={format}"), &[]).body().to_owned()
}

#[test]
fn no_name_and_no_message_forges_a_line() {
    let body = body("verbose");
    let lines: Vec<_> = body.split('\n').collect();
    assert_eq!(lines.len(), 10, "{body}");
    assert_eq!(lines[4], r"[+]disks/x ok\u{a}[+]forged ok");
    assert_eq!(lines[5], r"[+]disks/\u{202e}\u{2028}[+]\u{d} ok");
    assert!(lines[7].starts_with(r"[-]state failed: line\u{a}ready check passed (reference "));
    assert_eq!(lines[8..], ["ready check failed", ""]);
}

#[test]
fn no_object_has_a_key_twice() {
    for format in ["json", "health", "spring", "healthchecks-ui"] {
        let body = body(format);
        // A parser keeps one of two equal keys, so that fewer are left than were written.
        let parsed: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(parsed.to_string().len(), body.len(), "{format}: {body}");
    }
    let spring: serde_json::Value = serde_json::from_str(&body("spring")).unwrap();
    let disks = spring["components"]["disks"]["components"].as_object().unwrap();
    assert!(["a", "a-2", "a-2-2", "state"].iter().all(|name| disks.contains_key(*name)));
    let ui: serde_json::Value = serde_json::from_str(&body("healthchecks-ui")).unwrap();
    assert_eq!(ui["entries"]["state"]["status"], "Unhealthy");
}

#[test]
fn a_check_with_the_name_of_the_state_keeps_it() {
    let service = service();
    service.health.maintenance_switch().turn_on();
    let spring = service.get("/ready?format=spring", &[]);
    let spring: serde_json::Value = serde_json::from_str(spring.body()).unwrap();
    assert_eq!(spring["status"], "OUT_OF_SERVICE");
    assert_eq!(spring["components"]["state"]["status"], "UNKNOWN");
    let notes = &spring["components"]["state-2"]["details"]["notes"];
    assert_eq!(*notes, serde_json::json!(["in maintenance by the switch"]));
}

#[test]
fn a_colon_in_a_name_separates_nothing_in_health_json() {
    let service = Service::new(|builder, results, time| {
        let endpoint = Endpoint::readiness("/ready").details(DetailLevel::States);
        builder.register(results.check(time, "cache:eu")).endpoint(endpoint)
    });
    let response = service.get("/ready?format=health", &[]);
    let document: serde_json::Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!(document["checks"]["cache_eu:responseTime"][0]["componentId"], "cache:eu");
}
