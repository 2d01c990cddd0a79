//! The JSON of Spring Boot's health endpoint, for Spring Boot Admin and conditions such as `[BODY].status == UP`.
//!
//! Spring Boot's reference, "Health Information", and its REST API documentation, "Health (health)". Version 2 of the media
//! type has `details` where version 3 has `components` (spring-projects/spring-boot#17929).

use std::borrow::Cow;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::grade::Grade;
use super::object::{Number, Object};
use super::snapshot::{CheckDetails, ReportDetails, Snapshot};
use crate::check::Status;
use crate::state::State;

/// The version of the media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpringVersion {
    V2,
    V3,
}

impl SpringVersion {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::V2 => "application/vnd.spring-boot.actuator.v2+json",
            Self::V3 => "application/vnd.spring-boot.actuator.v3+json",
        }
    }
}

/// The document of a snapshot.
pub(super) fn write(snapshot: &Snapshot, version: SpringVersion) -> Cow<'static, str> {
    let mut components = Object::default();
    for check in &snapshot.checks {
        components.insert(&check.name, Component::of(check, version));
    }
    let status = status(snapshot);
    if let Some(notes) = snapshot.notes_besides_checks() {
        let details = Details { notes, ..Details::default() };
        components.insert("state", Component { status, content: Content::Details(details) });
    }
    let root = Component { status, content: Content::Components(version, components) };
    serde_json::to_string(&root).unwrap_or_default().into()
}

/// Spring responds 200 for UP, and 503 for DOWN and OUT_OF_SERVICE: no status is UP if the code says otherwise. While a program
/// of Spring starts and stops, its readiness is OUT_OF_SERVICE.
fn status(snapshot: &Snapshot) -> &'static str {
    match snapshot.state {
        State::Ok | State::Degraded if Grade::of(snapshot) != Grade::Fail => "UP",
        State::Ok | State::Degraded | State::Failing => "DOWN",
        State::Starting | State::Maintenance | State::Draining => "OUT_OF_SERVICE",
    }
}

/// Spring has no word for a degraded component that works.
fn component_status(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Ok | Status::Degraded) => "UP",
        Some(Status::Error) => "DOWN",
        None => "UNKNOWN",
    }
}

struct Component<'a> {
    status: &'static str,
    content: Content<'a>,
}

enum Content<'a> {
    /// A composite has its components and nothing else.
    Components(SpringVersion, Object<Component<'a>>),
    Details(Details<'a>),
}

#[derive(Serialize, Default)]
struct Details<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    values: Object<Number>,
}

impl<'a> Component<'a> {
    fn of(check: &'a CheckDetails, version: SpringVersion) -> Self {
        let content = match check.only_result() {
            Some(result) => Content::Details(Details::of(result)),
            None => {
                let mut components = Object::default();
                for result in &check.results {
                    let status = component_status(Some(result.status));
                    let content = Content::Details(Details::of(result));
                    components.insert(&result.name, Self { status, content });
                }
                Content::Components(version, components)
            }
        };
        Self { status: component_status(check.status), content }
    }
}

impl<'a> Details<'a> {
    fn of(result: &'a ReportDetails) -> Self {
        Self {
            notes: Vec::new(),
            reason: result.reason.as_deref(),
            reference: result.reference.map(|reference| reference.to_string()),
            message: result.message.as_deref(),
            values: result.values_by_name(),
        }
    }

    fn is_empty(&self) -> bool {
        let Self { notes, reason, reference, message, values } = self;
        let has_text = reason.is_some() || reference.is_some() || message.is_some();
        notes.is_empty() && !has_text && values.is_empty()
    }
}

impl Serialize for Component<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", self.status)?;
        match &self.content {
            Content::Components(version, components) if !components.is_empty() => {
                let key = match version {
                    SpringVersion::V2 => "details",
                    SpringVersion::V3 => "components",
                };
                map.serialize_entry(key, components)?;
            }
            Content::Details(details) if !details.is_empty() => {
                map.serialize_entry("details", details)?;
            }
            Content::Components(..) | Content::Details(_) => {}
        }
        map.end()
    }
}
