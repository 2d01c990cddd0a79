//! A fault: a decoration that breaks a correct server.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use health_conformance::{Check, Command, Setup};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::correct::{Answer, Correct, Record};
use crate::http::Request;

/// Declares the faults of a topic: a description, the scenarios that must catch it, and the decoration. The first
/// scenario is specific to the fault; the others have no other fault. `*` matches any text.
macro_rules! faults {
    ($($(#[doc = $description:literal])+ $name:ident: $($scenario:literal),+ => $decoration:expr;)+) => {
        pub(crate) const FAULTS: &[$crate::fault::Fault] = &[$($crate::fault::Fault {
            name: stringify!($name),
            description: concat!($($description),+),
            scenarios: &[$($scenario),+],
            decorate: || $decoration,
        }),+];
    };
}
pub(crate) use faults;

/// One fault of a server.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) scenarios: &'static [&'static str],
    /// Creates the decoration for one server.
    pub(crate) decorate: fn() -> Decoration,
}

/// How a connection ends without a response.
pub(crate) enum Ending {
    Connection,
    /// The server ends with it.
    Server,
}

/// Faults of the connections of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    DropsPipeline,
    RefusesPieces,
    RefusesCrowds,
    OneAtATime,
    EndsWithHalfARequest,
    EndsWithoutReader,
    SkipsChunkSize,
}

type Refuse = dyn Fn(&Setup) -> Result<(), String> + Send + Sync;
type Edit<T> = dyn Fn(&mut T) + Send + Sync;
type Exchange = dyn Fn(&Request, &Correct) -> Result<Answer, Ending> + Send + Sync;
type Apply = dyn Fn(&Command, &Correct) + Send + Sync;
type Keeps = dyn Fn(&Request, bool) -> bool + Send + Sync;

/// The differences of a faulty server from a correct one. The default has none.
pub(crate) struct Decoration {
    pub(crate) refuse: Box<Refuse>,
    pub(crate) setup: Box<Edit<Setup>>,
    pub(crate) exchange: Box<Exchange>,
    pub(crate) records: Box<Edit<Vec<Record>>>,
    pub(crate) command: Box<Apply>,
    pub(crate) reads_body: Box<dyn Fn(&Request) -> bool + Send + Sync>,
    pub(crate) keeps: Box<Keeps>,
    pub(crate) wire: Option<Wire>,
}

impl Default for Decoration {
    fn default() -> Self {
        Self {
            refuse: Box::new(|_| Ok(())),
            setup: Box::new(|_| {}),
            exchange: Box::new(|request, correct| Ok(correct.answer(request))),
            records: Box::new(|_| {}),
            command: Box::new(|command, correct| correct.apply(command)),
            reads_body: Box::new(|_| false),
            keeps: Box::new(|_, keeps| keeps),
            wire: None,
        }
    }
}

impl Decoration {
    pub(crate) fn with_exchange(
        mut self,
        exchange: impl Fn(&Request, &Correct) -> Result<Answer, Ending> + Send + Sync + 'static,
    ) -> Self {
        self.exchange = Box::new(exchange);
        self
    }

    pub(crate) fn with_request(self, edit: impl Fn(&mut Request) + Send + Sync + 'static) -> Self {
        self.with_exchange(move |request, correct| {
            let mut request = request.clone();
            edit(&mut request);
            Ok(correct.answer(&request))
        })
    }

    pub(crate) fn with_command(
        mut self,
        command: impl Fn(&Command, &Correct) + Send + Sync + 'static,
    ) -> Self {
        self.command = Box::new(command);
        self
    }

    pub(crate) fn with_wire(mut self, wire: Wire) -> Self {
        self.wire = Some(wire);
        self
    }
}

/// A server that starts only if this returns no error.
pub(crate) fn refuse(
    rule: impl Fn(&Setup) -> Result<(), String> + Send + Sync + 'static,
) -> Decoration {
    Decoration { refuse: Box::new(rule), ..Decoration::default() }
}

/// A server that starts with another setup.
pub(crate) fn setup(edit: impl Fn(&mut Setup) + Send + Sync + 'static) -> Decoration {
    Decoration { setup: Box::new(edit), ..Decoration::default() }
}

/// The checks of the setup are other ones.
pub(crate) fn checks(edit: fn(&mut Check)) -> Decoration {
    setup(move |setup| setup.checks.iter_mut().for_each(edit))
}

/// A server with another response to a request.
pub(crate) fn exchange(
    exchange: impl Fn(&Request, &Correct) -> Result<Answer, Ending> + Send + Sync + 'static,
) -> Decoration {
    Decoration::default().with_exchange(exchange)
}

/// A server that responds to another request.
pub(crate) fn request(edit: impl Fn(&mut Request) + Send + Sync + 'static) -> Decoration {
    Decoration::default().with_request(edit)
}

/// The correct response is changed.
pub(crate) fn answer(edit: impl Fn(&mut Answer) + Send + Sync + 'static) -> Decoration {
    to(move |answer, _, _| edit(answer))
}

/// The correct response is changed, for reasons of the request or the server.
pub(crate) fn to(
    edit: impl Fn(&mut Answer, &Request, &Correct) + Send + Sync + 'static,
) -> Decoration {
    exchange(move |request, correct| {
        let mut answer = correct.answer(request);
        edit(&mut answer, request, correct);
        Ok(answer)
    })
}

/// A page, for the requests that this is true of.
pub(crate) fn page(
    status: u16,
    is_for: impl Fn(&Request) -> bool + Send + Sync + 'static,
) -> Decoration {
    to(move |answer, request, _| {
        if is_for(request) {
            *answer = Answer::page(status, "another page");
        }
    })
}

/// The connection ends without a response, where this is true.
pub(crate) fn hang_up(
    is_for: impl Fn(&Answer, &Request, &Correct) -> bool + Send + Sync + 'static,
) -> Decoration {
    exchange(move |request, correct| {
        let answer = correct.answer(request);
        if is_for(&answer, request, correct) { Err(Ending::Connection) } else { Ok(answer) }
    })
}

/// The log records are changed.
pub(crate) fn records(edit: impl Fn(&mut Vec<Record>) + Send + Sync + 'static) -> Decoration {
    Decoration { records: Box::new(edit), ..Decoration::default() }
}

/// The records of a response of this state have another level.
pub(crate) fn level(state: &'static str, level: &'static str) -> Decoration {
    records(move |records| {
        for record in records.iter_mut().filter(|record| record.state() == Some(state)) {
            level.clone_into(&mut record.level);
        }
    })
}

/// The result of a check in a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    /// `None` for the entry of a delayed return (H25).
    pub(crate) name: Option<String>,
    pub(crate) status: String,
    pub(crate) message: Option<String>,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

impl Row {
    pub(crate) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }

    /// Whether it says that the return to healthy is delayed.
    pub(crate) fn is_delay(&self) -> bool {
        self.name.is_none()
    }

    /// Whether the check did not end in time.
    pub(crate) fn is_late(&self) -> bool {
        self.message().starts_with("timed out") || self.message().starts_with("still running")
    }
}

/// The results in a record.
pub(crate) fn rows(record: &Record) -> Option<Vec<Row>> {
    let (_, rest) = record.text.split_once(" (")?;
    serde_json::from_str(rest.strip_suffix(')')?).ok()
}

/// The results in the records of a response are changed.
pub(crate) fn results(
    edit: impl Fn(&mut Vec<Row>, &Request, &Correct) + Send + Sync + 'static,
) -> Decoration {
    to(move |answer, request, correct| {
        for record in &mut answer.records {
            if let Some(mut rows) = rows(record) {
                edit(&mut rows, request, correct);
                let (start, _) = record.text.split_once(" (").unwrap();
                let rows = serde_json::to_string(&rows).unwrap();
                record.text = format!("{start} ({rows})");
            }
        }
    })
}

/// Something is wrong with the connections.
pub(crate) fn wire(wire: Wire) -> Decoration {
    Decoration::default().with_wire(wire)
}

/// The body is read for the requests that this is true of.
pub(crate) fn reads_body(is_for: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Decoration {
    Decoration { reads_body: Box::new(is_for), ..Decoration::default() }
}

/// Whether the connection stays open; the correct choice is passed in.
pub(crate) fn keeps(keeps: impl Fn(&Request, bool) -> bool + Send + Sync + 'static) -> Decoration {
    Decoration { keeps: Box::new(keeps), ..Decoration::default() }
}

/// Commands are done otherwise, or not at all.
pub(crate) fn command(command: impl Fn(&Command, &Correct) + Send + Sync + 'static) -> Decoration {
    Decoration::default().with_command(command)
}

/// Something that a fault remembers from request to request.
#[derive(Debug, Default)]
pub(crate) struct Memory<T>(Mutex<T>);

impl<T> Memory<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Other endpoints on the journal of a server, with another setup, built when they are first needed.
pub(crate) struct Twin {
    edit: fn(&mut Setup),
    correct: OnceLock<Correct>,
}

impl Twin {
    pub(crate) const fn new(edit: fn(&mut Setup)) -> Self {
        let correct = OnceLock::new();
        Self { edit, correct }
    }

    pub(crate) fn of(&self, correct: &Correct) -> &Correct {
        self.correct.get_or_init(|| correct.with_setup(self.edit))
    }
}

/// How many requests are under way.
#[derive(Debug, Default)]
pub(crate) struct Crowd(AtomicUsize);

impl Crowd {
    /// The correct response, and whether others were under way before.
    pub(crate) fn answer(&self, request: &Request, correct: &Correct) -> (Answer, bool) {
        let others = self.0.fetch_add(1, Relaxed);
        // Requests that come together meet here, however quick the checks are.
        thread::sleep(Duration::from_millis(5));
        let answer = correct.answer(request);
        self.0.fetch_sub(1, Relaxed);
        (answer, others > 0)
    }
}

/// Answers wait for requests under way that ask for checks, where this is true.
pub(crate) fn wait_for_runs(
    is_for: impl Fn(&Answer, &Request) -> bool + Send + Sync + 'static,
) -> Decoration {
    const LONGEST: Duration = Duration::from_secs(20);
    let running = AtomicUsize::new(0);
    exchange(move |request, correct| {
        let others = running.fetch_add(1, Relaxed);
        let answer = correct.answer(request);
        let start = Instant::now();
        while others > 0 && is_for(&answer, request) && start.elapsed() < LONGEST {
            if running.load(Relaxed) <= 1 {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        running.fetch_sub(1, Relaxed);
        Ok(answer)
    })
}

/// Where the correct response is in the first state, endpoints with another setup are asked too, which hear only of some
/// commands. Their response counts if it is in the second state; with no second, their checks just run.
pub(crate) fn other_wins(
    edit: fn(&mut Setup),
    hears: fn(&Command) -> bool,
    (state, wins): (&'static str, &'static str),
) -> Decoration {
    let twin = Arc::new(Twin::new(edit));
    let told = twin.clone();
    let decoration = to(move |answer, request, correct| {
        let others = twin.of(correct);
        if answer.state() == state {
            let other = others.answer(request);
            if other.state() == wins {
                *answer = other;
            }
        }
    });
    decoration.with_command(move |command, correct| {
        let others = told.of(correct);
        correct.apply(command);
        if hears(command) {
            others.apply(command);
        }
    })
}

/// Endpoints have no disablefile.
pub(crate) fn no_disablefile(setup: &mut Setup) {
    let key = "healthcheck.disablefile".to_owned();
    setup.settings.insert(key, String::new());
}
