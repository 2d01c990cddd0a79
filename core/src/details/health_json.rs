//! `application/health+json`: draft-inadarei-api-health-check-06, which expired in 2022 and has no successor.
//!
//! Section 3.1: the status follows from the code ([`Grade::of`]). What the draft offers and this library does not know is left
//! out: the `version` of the API (that of the program is `releaseId`), `affectedEndpoints`, and links to the host itself.
//! A freshness lifetime, which section 9 recommends, would hide a failure: every response has `no-store` (H9).

use std::borrow::Cow;

use serde::Serialize;

use super::grade::Grade;
use super::object::{Number, Object};
use super::snapshot::{CheckDetails, ReportDetails, Snapshot};
use super::time::rfc_3339;
use crate::check::{Status, Unit};

/// The document of a snapshot.
pub(super) fn write(snapshot: &Snapshot) -> Cow<'static, str> {
    serde_json::to_string(&Document::of(snapshot)).unwrap_or_default().into()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    checks: Object<Vec<Component<'a>>>,
}

/// One "component details" object (section 4). `reason`, `reference`, `description` and `owner` are additional keys (4.10).
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Component<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    component_id: Option<&'a str>,
    component_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_value: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_unit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Links<'a>>,
}

/// The values are URIs, the keys registered relations (section 3.7).
#[derive(Serialize)]
struct Links<'a> {
    help: &'a str,
}

impl Grade {
    fn health_json(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl<'a> Document<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let grade = Grade::of(snapshot);
        let process = snapshot.process.as_ref();
        let service = process.and_then(|process| process.service.as_ref());
        let mut checks = Object::default();
        for check in &snapshot.checks {
            Component::add(&mut checks, check);
        }
        if let Some(process) = process {
            let uptime = Component {
                component_type: "system",
                observed_value: Some(Number(process.uptime.as_secs_f64())),
                observed_unit: Some(Unit::Seconds.as_str()),
                status: Some(Grade::Pass.health_json()),
                time: Some(rfc_3339(snapshot.time)),
                ..Component::default()
            };
            checks.push("uptime".to_owned(), uptime);
        }
        Self {
            status: grade.health_json(),
            service_id: service.map(|(name, _)| name.as_str()),
            release_id: service.map(|(_, version)| version.as_str()),
            notes: snapshot.notes(),
            output: output(snapshot).filter(|_| grade != Grade::Pass),
            checks,
        }
    }
}

/// The raw errors, one a line. Only the full level has them.
fn output(snapshot: &Snapshot) -> Option<String> {
    let results = snapshot.checks.iter().flat_map(|check| &check.results);
    let lines: Vec<_> = results
        .filter(|result| result.status != Status::Ok)
        .filter_map(|result| Some(format!("{}: {}", result.name, result.message.as_ref()?)))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

impl<'a> Component<'a> {
    /// Adds what is known of a check: its duration, with one element for each of its results, and their values.
    fn add(checks: &mut Object<Vec<Self>>, check: &'a CheckDetails) {
        // A name must not contain the separator (section 4). The identifier is unchanged.
        let component = check.name.replace(':', "_");
        let duration = check.last_execution.map(|(_, duration)| Number(duration.as_secs_f64()));
        let key = format!("{component}:responseTime");
        let mut add = |result: Option<&'a ReportDetails>| {
            checks.push(
                key.clone(),
                Self {
                    observed_value: duration,
                    observed_unit: duration.map(|_| Unit::Seconds.as_str()),
                    ..Self::of(check, result)
                },
            );
        };
        if check.results.is_empty() {
            add(None);
        }
        check.results.iter().for_each(|result| add(Some(result)));
        for result in &check.results {
            for value in &result.values {
                let measured = Self {
                    component_id: Some(&result.name),
                    component_type: "component",
                    observed_value: Some(Number(value.number())),
                    observed_unit: Some(value.unit().as_str()),
                    status: Some(Grade::of_status(result.status).health_json()),
                    time: check.last_execution.map(|(time, _)| rfc_3339(time)),
                    ..Self::default()
                };
                checks.push(format!("{component}:{}", value.name()), measured);
            }
        }
    }

    /// A check, or one of its results. A check without a result has no status: the draft has no word for it.
    fn of(check: &'a CheckDetails, result: Option<&'a ReportDetails>) -> Self {
        let people = check.people.as_ref();
        let status = result.map_or(check.status, |result| Some(result.status));
        let bad = result.filter(|result| result.status != Status::Ok);
        Self {
            component_id: Some(result.map_or(&check.name, |result| &result.name)),
            component_type: "component",
            observed_value: None,
            observed_unit: None,
            status: status.map(|status| Grade::of_status(status).health_json()),
            time: check.last_execution.map(|(time, _)| rfc_3339(time)),
            output: bad.and_then(|result| result.message.as_deref()),
            reason: bad.and_then(|result| result.reason.as_deref()),
            reference: bad
                .and_then(|result| result.reference)
                .map(|reference| reference.to_string()),
            description: people.and_then(|people| people.description.as_deref()),
            owner: people.and_then(|people| people.owner.as_deref()),
            links: people.and_then(|people| people.runbook.as_deref()).map(|help| Links { help }),
        }
    }
}
