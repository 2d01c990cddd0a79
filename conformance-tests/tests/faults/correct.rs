//! A correct response: that of the core, with the log records that belong to it.

use std::cell::RefCell;
use std::fmt;

use futures::executor::block_on;
use health_conformance::testee::Assembled;
use health_conformance::{Command, Endpoint, Journal, Line, Setup};
use health_core::{ActiveRequest, HealthRequest, LOG_TARGET, ThreadRuntime};
use http::StatusCode;
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber, dispatcher, span};

use crate::http::Request;

/// A log record of the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) level: String,
    pub(crate) text: String,
}

impl Record {
    pub(crate) fn new(level: &str, text: impl Into<String>) -> Self {
        let (level, text) = (level.to_owned(), text.into());
        Self { level, text }
    }

    /// The word of a response's record; `None` for a warning about the disablefile.
    pub(crate) fn state(&self) -> Option<&str> {
        let rest = self.text.strip_prefix("Health response: ")?;
        rest.split(' ').next()
    }
}

/// A response and its log records.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) sends_body: bool,
    /// Only with a fault: half of the bytes are sent.
    pub(crate) is_cut: bool,
    /// Whether a drain closes the connection, and whether the header says so.
    pub(crate) closes: bool,
    pub(crate) announces: bool,
    /// How many bytes of the body are sent at once; the others wait for `FINISH`.
    pub(crate) sent_first: Option<usize>,
    /// The request is active until this is dropped.
    pub(crate) active: Option<ActiveRequest>,
    pub(crate) records: Vec<Record>,
}

impl Answer {
    pub(crate) fn page(status: u16, reason: &str) -> Self {
        let mut page = Self {
            status,
            reason: reason.to_owned(),
            headers: Vec::new(),
            body: String::new(),
            sends_body: true,
            is_cut: false,
            closes: false,
            announces: false,
            sent_first: None,
            active: None,
            records: Vec::new(),
        };
        page.set_body(&format!("the page for {status}"));
        page
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.headers.retain(|(header, _)| header != name);
    }

    pub(crate) fn set_body(&mut self, body: &str) {
        body.clone_into(&mut self.body);
        self.set("content-length", &body.len().to_string());
    }

    pub(crate) fn is(&self, word: &str) -> bool {
        self.body == word
    }

    /// The state: that of the log record, or OK.
    pub(crate) fn state(&self) -> &str {
        let mut states = self.records.iter().filter_map(Record::state);
        states.next().unwrap_or("OK")
    }

    /// Replaces the response, without a record.
    pub(crate) fn turn(&mut self, status: u16, word: &str) {
        let canonical =
            StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        self.status = status;
        self.reason = canonical.unwrap_or(word).to_owned();
        self.set_body(word);
        self.records.clear();
    }

    pub(crate) fn turn_ok(&mut self) {
        self.turn(200, "OK");
    }

    pub(crate) fn log(&mut self, level: &str, text: impl Into<String>) {
        self.records.push(Record::new(level, text));
    }

    /// The head and the body.
    pub(crate) fn bytes(&self, keeps: bool) -> (Vec<u8>, Vec<u8>) {
        let connection = if keeps && !self.announces { "keep-alive" } else { "close" };
        let (status, reason) = (self.status, &self.reason);
        let mut text = format!("HTTP/1.1 {status} {reason}\r\nconnection: {connection}\r\n");
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        let body = if self.sends_body { self.body.clone() } else { String::new() };
        (text.into_bytes(), body.into_bytes())
    }
}

/// The correct endpoints of one server.
pub(crate) struct Correct {
    pub(crate) setup: Setup,
    pub(crate) journal: Journal,
    assembled: Assembled,
    dispatch: Dispatch,
}

impl Correct {
    /// Also returns the records of the start.
    ///
    /// # Errors
    ///
    /// A setting is rejected (H11).
    pub(crate) fn new(setup: &Setup, journal: &Journal) -> Result<(Self, Vec<Record>), String> {
        let dispatch = Dispatch::new(Recorder(journal.clone()));
        let (assembled, records) = recorded(&dispatch, || Assembled::new(setup, journal));
        let assembled = assembled.map_err(|error| error.to_string())?;
        assembled.health().start_on(ThreadRuntime);
        let correct = Self { setup: setup.clone(), journal: journal.clone(), assembled, dispatch };
        Ok((correct, records))
    }

    /// Other endpoints with the same journal and a changed setup.
    pub(crate) fn with_setup(&self, edit: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = self.setup.clone();
        edit(&mut setup);
        Self::new(&setup, &self.journal).unwrap().0
    }

    /// The response of the endpoints or of the application, both of which the drain covers (H26).
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let active = self.track();
        Answer { active: Some(active), ..self.answer_untracked(request) }
    }

    /// The same for a request that is not active.
    pub(crate) fn answer_untracked(&self, request: &Request) -> Answer {
        let mut answer = self.routed(request);
        answer.closes = self.track().closes_connection(answer.status);
        answer.announces = answer.closes;
        answer
    }

    fn routed(&self, request: &Request) -> Answer {
        let Some(endpoint) = self.assembled.health().at(request.path()) else {
            return self.page(request);
        };
        if request.method == "CONNECT" {
            return Answer::page(405, "Method Not Allowed");
        }
        let asked = HealthRequest::new(request.query()).headers(request.headers());
        let respond = || block_on(endpoint.respond(asked));
        let (response, records) = recorded(&self.dispatch, respond);
        let headers = response.headers();
        Answer {
            headers: headers.map(|(name, value)| (name.to_owned(), value.into_owned())).collect(),
            body: response.body().to_owned(),
            sends_body: request.method != "HEAD",
            records,
            ..Answer::page(response.status().as_u16(), response.reason())
        }
    }

    /// A page of the application.
    fn page(&self, request: &Request) -> Answer {
        let body = match request.path() {
            "/application" => "application",
            "/slow" => {
                self.finish();
                "finished"
            }
            "/stream" => "started finished",
            _ => "the page for 404",
        };
        let mut page = match body {
            "the page for 404" => Answer::page(404, "Not Found"),
            _ => Answer::page(200, "OK"),
        };
        page.set_body(body);
        page.sends_body = request.method != "HEAD";
        page.sent_first = (request.path() == "/stream").then_some("started ".len());
        page
    }

    /// Waits for the command `FINISH`.
    pub(crate) fn finish(&self) {
        block_on(self.assembled.application().finish());
    }

    /// Another active request.
    pub(crate) fn track(&self) -> ActiveRequest {
        self.assembled.health().track()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.assembled.health().is_draining()
    }

    /// Applies a command. A command that a fault has made impossible is ignored.
    pub(crate) fn apply(&self, command: &Command) {
        let _ = self.assembled.apply(command);
    }

    pub(crate) fn setting(&self, key: &str) -> Option<&str> {
        let value = self.setup.settings.get(&format!("healthcheck.{key}"))?;
        Some(value)
    }

    /// The path of the endpoint that every server has.
    pub(crate) fn url(&self) -> &str {
        self.setting("url").unwrap_or("/health")
    }

    /// The additional endpoint at the path of a request.
    pub(crate) fn further(&self, request: &Request) -> Option<&Endpoint> {
        let mut endpoints = self.setup.endpoints.iter();
        endpoints.find(|endpoint| endpoint.path == request.path())
    }
}

thread_local! {
    /// What the endpoints log on this thread; `None` on the threads of checks.
    static RECORDS: RefCell<Option<Vec<Record>>> = const { RefCell::new(None) };
}

/// What a function returns, and what is logged meanwhile.
fn recorded<T>(dispatch: &Dispatch, function: impl FnOnce() -> T) -> (T, Vec<Record>) {
    RECORDS.set(Some(Vec::new()));
    let result = dispatcher::with_default(dispatch, function);
    (result, RECORDS.take().unwrap_or_default())
}

/// Records of other threads belong to no response.
struct Recorder(Journal);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(LOG_TARGET) && *metadata.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let record = Record::new(event.metadata().level().as_str(), text.0);
        RECORDS.with_borrow_mut(|records| match records {
            Some(records) => records.push(record),
            None => self.0.record(Line::Log { level: record.level, text: record.text }),
        });
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
