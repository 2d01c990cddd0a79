//! One step of a scenario.

use std::time::Duration;

use serde::Deserialize;

use super::results::Wanted;
use crate::scenario::command::Command;
use crate::scenario::marker::Marker;
use crate::setup::DetailLevel;

/// One or more equal requests, and the expectations.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) marker: Option<Marker>,
    #[serde(default)]
    pub(crate) commands: Vec<Command>,
    #[serde(default = "get")]
    pub(crate) method: String,
    #[serde(default = "health")]
    pub(crate) target: String,
    #[serde(default = "http_1_1")]
    pub(crate) version: String,
    #[serde(rename = "headers")]
    pub(crate) own_headers: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) body: String,
    pub(crate) content_length: Option<usize>,
    pub(crate) cut: Option<usize>,
    #[serde(default)]
    pub(crate) client: Client,
    pub(crate) connection: Option<Fate>,
    pub(crate) response: Answer,
    /// The format of the details; `None`: the word.
    pub(crate) format: Option<Format>,
    /// The level of the details. Default: states.
    pub(crate) level: Option<DetailLevel>,
    /// The logged result of each check, if the step defines it.
    pub(crate) results: Option<Vec<Wanted>>,
    #[serde(default)]
    pub(crate) checks: Checks,
    /// Whether the request is repeated until everything is as expected.
    #[serde(default)]
    pub(crate) until: bool,
    /// The response until then.
    pub(crate) meanwhile: Option<Answer>,
    /// What becomes of the drain after the response.
    pub(crate) drain: Option<DrainEnd>,
    /// The shortest time from the last poll to the end of the drain.
    #[serde(default, with = "crate::setup::milliseconds::optional")]
    pub(crate) after_poll: Option<Duration>,
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) warnings: usize,
    #[serde(default = "once")]
    pub(crate) times: usize,
}

fn get() -> String {
    "GET".to_owned()
}

fn health() -> String {
    "/health".to_owned()
}

fn http_1_1() -> String {
    "HTTP/1.1".to_owned()
}

fn once() -> usize {
    1
}

impl Step {
    /// The header lines of the request, except Content-Length.
    pub(crate) fn headers(&self) -> Vec<&str> {
        match (&self.own_headers, self.client) {
            (Some(headers), _) => headers.iter().map(String::as_str).collect(),
            (None, Client::Kept | Client::Pipelined) => vec!["Host: localhost"],
            (None, _) => vec!["Host: localhost", "Connection: close"],
        }
    }

    /// The page of the application at its target.
    pub(crate) fn page(&self) -> Option<&'static Page> {
        PAGES.iter().find(|page| page.path == self.target)
    }

    /// Whether its requests wait for `FINISH`.
    pub(crate) fn waits(&self) -> bool {
        self.page().is_some_and(|page| page.waits)
    }
}

/// A page of the application that a testee serves beside its endpoints.
#[derive(Debug)]
pub(crate) struct Page {
    path: &'static str,
    pub(crate) body: &'static str,
    /// Whether it is complete only after `FINISH`.
    waits: bool,
}

const PAGES: [Page; 3] = [
    Page { path: "/application", body: "application", waits: false },
    Page { path: "/slow", body: "finished", waits: true },
    Page { path: "/stream", body: "started finished", waits: true },
];

/// The behavior of the client; see the table in the [format](super).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Client {
    #[default]
    Alone,
    Kept,
    Pipelined,
    Crowd,
    ByteByByte,
    Interrupted,
    HalfClosed,
    Leaves,
    Lingers,
    Toggling,
    Polls,
}

/// What a server does with a connection after the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fate {
    Closes,
    Stays,
}

/// What becomes of a drain after a response; see the table in the [format](super).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DrainEnd {
    Lasts,
    Ends,
    EndsAtMaximum,
}

/// The expected response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    Ok,
    /// OK on the wire; the log contains the failures.
    Degraded,
    Starting,
    Maintenance,
    Draining,
    Error,
    /// The page of the application at the target.
    Application,
    NotFound,
    /// The server's own 404, 400, 405 or 501; nothing is logged, and no check starts.
    NotFoundOrRefused,
    /// OK, or a 4xx of the server before the endpoint is reached; nothing is logged either way.
    OkOrRefused,
    /// OK, or a connection that is closed before the first byte.
    OkOrNothing,
    /// OK or maintenance, in all its parts.
    OkOrMaintenance,
    /// Any response: it is not read.
    Unread,
}

/// A format of details (H31).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    Json,
    Health,
    Spring,
    HealthchecksUi,
    Verbose,
    Html,
    Prometheus,
    Openmetrics,
}

/// How often the checks start; see the table in the [format](super).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Checks {
    #[default]
    Rest,
    Start,
    Share,
    MayStart,
}
