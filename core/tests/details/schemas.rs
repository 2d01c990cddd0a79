//! Every JSON of every state and level is as its schema says; and what each format promises besides.

use serde_json::{Value, json};

use crate::scenes::{READERS, SCENES};

/// The schema of each format of JSON. That of our own is in the documentation.
const SCHEMAS: [(&str, &str); 4] = [
    ("json", include_str!("../../../docs/health.schema.json")),
    ("health", include_str!("schemas/health.json")),
    ("spring", include_str!("schemas/spring.json")),
    ("healthchecks-ui", include_str!("schemas/healthchecks-ui.json")),
];

fn validator(schema: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(schema).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// The format, the name of the scene, the code and the document, for every state and level.
fn documents() -> Vec<(&'static str, &'static str, u16, Value)> {
    let mut documents = Vec::new();
    for scene in SCENES {
        for (_, authorization) in READERS {
            for (format, _) in SCHEMAS {
                let scene = scene();
                let response = scene.get(format, authorization);
                let document = serde_json::from_str(response.body()).unwrap();
                documents.push((format, scene.name, response.status().as_u16(), document));
            }
        }
    }
    documents
}

#[test]
fn every_json_is_as_its_schema_says() {
    let documents = documents();
    let mut errors = Vec::new();
    for (format, schema) in SCHEMAS {
        let validator = validator(schema);
        for (_, scene, _, document) in documents.iter().filter(|(other, ..)| *other == format) {
            let found = validator.iter_errors(document);
            errors
                .extend(found.map(|error| {
                    format!("{format} {scene}: {error} at {}", error.instance_path())
                }));
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

/// Or the test above would prove nothing.
#[test]
fn the_schemas_reject_what_they_do_not_know() {
    for (format, schema) in SCHEMAS {
        let validator = validator(schema);
        let (.., mut document) =
            documents().into_iter().find(|(other, ..)| *other == format).unwrap();
        assert!(validator.is_valid(&document));
        document["secret"] = json!("hunter2");
        assert!(!validator.is_valid(&document), "{format}");
        document.as_object_mut().unwrap().remove("secret");
        document["status"] = json!("fine");
        assert!(!validator.is_valid(&document), "{format}");
    }
}

#[test]
fn every_json_has_a_status_at_its_root() {
    for (format, scene, _, document) in documents() {
        assert!(document["status"].is_string(), "{format} {scene}");
    }
}

/// draft-inadarei-api-health-check-06, section 3.1.
#[test]
fn in_health_json_the_status_follows_from_the_code() {
    let mut seen = Vec::new();
    for (_, scene, code, document) in
        documents().into_iter().filter(|(format, ..)| *format == "health")
    {
        let status = document["status"].as_str().unwrap().to_owned();
        assert_eq!(status == "fail", code >= 400, "{scene}");
        // "Additional information SHOULD be provided".
        assert_eq!(status == "pass", document["notes"].is_null(), "{scene}");
        seen.push(status);
    }
    assert!(["pass", "warn", "fail"].iter().all(|status| seen.iter().any(|other| other == status)));
}

/// As Spring's own mapping of statuses to codes: UP is 200, the others are 503.
#[test]
fn in_springs_json_no_status_is_up_if_the_code_says_otherwise() {
    for (_, scene, code, document) in
        documents().into_iter().filter(|(format, ..)| *format == "spring")
    {
        let is_up = document["status"] == "UP";
        assert!(!is_up || code < 400, "{scene}");
        // A response that accepts traffic in maintenance is the only exception.
        assert_eq!(!is_up && code < 400, scene == "maintenance-299", "{scene}");
    }
}

/// As many changes and results as are shown.
#[test]
fn a_document_of_every_bound_is_as_its_schema_says() {
    use health_core::{
        Check, CheckResult, DetailLevel, Endpoint, HealthCheckEvent, HealthSubscriber, async_trait,
    };

    use crate::service::Service;

    struct Disks;
    #[async_trait]
    impl HealthSubscriber for Disks {
        async fn on_health_check(&self, event: &mut HealthCheckEvent) {
            for number in 0..1000 {
                match number {
                    999 => event.error("disk-999", "full"),
                    _ => event.ok(&format!("disk-{number}")),
                }
            }
        }
    }

    let service = Service::new(|builder, results, time| {
        builder
            .register(results.check(time, "database"))
            .register(Check::subscriber("disks", Disks).optional())
            .endpoint(Endpoint::readiness("/ready").details(DetailLevel::Full))
    });
    for number in 0..150 {
        let is_ok = number % 2 == 0;
        service.set(
            "database",
            1,
            if is_ok { CheckResult::ok() } else { CheckResult::error("down") },
        );
        service.get("/ready", &[]);
        service.pass(1.0);
    }
    for (format, schema) in SCHEMAS {
        let response = service.get(&format!("/ready?format={format}"), &[]);
        let document = serde_json::from_str(response.body()).unwrap();
        let errors: Vec<_> = validator(schema)
            .iter_errors(&document)
            .map(|error| format!("{format}: {error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    let document = service.json("/ready");
    assert_eq!(document["changes"].as_array().unwrap().len(), 100);
    let disks = &document["checks"]["disks"];
    assert_eq!(disks["results"].as_array().unwrap().len(), 100);
    assert_eq!(disks["results"][0]["name"], "disk-999", "the gravest first");
    assert_eq!(disks["omitted_results"], 900);
    let page = service.get("/ready?format=html", &[]);
    assert!(page.body().contains("and 900 more"));
}
