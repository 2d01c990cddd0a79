//! Tests Rust servers that use `health-core`, in the process of a test and as a program.
//!
//! Both need one function that serves a [`Health`] and an [`Application`] on a free port of 127.0.0.1. A server without
//! an application ignores the second, and lacks the capability `application`. As an example program it becomes a testee
//! with [`main`], and a test runs the whole suite over it with [`run_suite`]; see `examples` and `tests/conformance.rs`
//! of any adapter.

mod application;
mod assembled;
mod endpoints;
mod parts;
mod peers;
mod scripted;
mod virtual_time;

use std::error::Error;
use std::fmt;
use std::io;
use std::panic;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use health_core::{Health, LOG_TARGET};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

pub use self::application::Application;
pub use self::assembled::Assembled;
use self::parts::Part;
use self::scripted::{EXPECTED_PANIC, Payload};
pub use self::virtual_time::VirtualTime;
use crate::judge::known::KnownFailures;
use crate::options::Options;
use crate::report::Report;
use crate::scenario::Suite;
use crate::scenario::command::Command;
use crate::setup::Setup;
use crate::target::journal::{Journal, Line};
use crate::target::{Harness, Server, StartError};

/// The `main` of a testee program: serves the setup in `HEALTH_SETUP` until standard input closes.
///
/// Prints a message on standard error and returns a failure if the settings are rejected or the server does not start.
pub fn main(serve: impl Fn(Health, Application) -> io::Result<Server>) -> ExitCode {
    match serve_setup(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve_setup(
    serve: impl Fn(Health, Application) -> io::Result<Server>,
) -> Result<(), Box<dyn Error>> {
    let setup = std::env::var("HEALTH_SETUP").map_err(|error| format!("HEALTH_SETUP: {error}"))?;
    let setup = serde_json::from_str(&setup).map_err(|error| format!("HEALTH_SETUP: {error}"))?;
    let journal = Journal::standard_output();
    write_records_to(&journal);
    let assembled = Assembled::new(&setup, &journal)?;
    let server = serve(assembled.health().clone(), assembled.application().clone())?;
    println!("READY http://{}", server.address());
    for line in io::stdin().lines() {
        let applied = Command::try_from(line?).and_then(|command| assembled.apply(&command));
        match applied {
            Ok(()) => println!("DONE"),
            Err(problem) => eprintln!("{problem}"),
        }
    }
    Ok(())
}

/// Runs the suite in a test, which then asserts `report.conforms()`.
///
/// Every `should` counts. `known` is the TOML of [`KnownFailures`]. The environment variable `HEALTH_SCENARIOS` limits
/// the run to the scenarios that match its pattern. All servers share one `tracing` subscriber, so that a process runs
/// one scenario at a time; the suite is therefore divided among several processes that run the same test.
///
/// # Errors
///
/// The known failures cannot be parsed, or a process ended without a report.
pub fn run_suite(
    serve: impl Fn(Health, Application) -> io::Result<Server> + Sync,
    known: &str,
) -> Result<Report, Box<dyn Error>> {
    let pattern = std::env::var("HEALTH_SCENARIOS").ok();
    let part = Part::of_this_process();
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let suite = Suite::builtin()?;
    let known = KnownFailures::parse(known, &suite)?;
    // The processes of a run keep the machine busy enough.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = lock(&ONE_AT_A_TIME);
    if part.is_none() && pattern.is_none() {
        if let Some(report) = parts::run_all(&suite)? {
            return Ok(report);
        }
    }
    quieten_expected_panics();
    allow_many_files();
    let options = |pattern: String| Options {
        run: vec![pattern],
        strict: true,
        known: known.clone(),
        rerun: format!("HEALTH_SCENARIOS={{id}} cargo test -p {package} --test conformance"),
        ..Options::default()
    };
    let run = |pattern| suite.run(&InProcess(&serve), &options(pattern));
    let Some(part) = part else {
        return Ok(run(pattern.unwrap_or_else(|| "*".to_owned())));
    };
    let mut ids: Vec<_> = suite.scenarios().map(|scenario| scenario.id().to_owned()).collect();
    // The slow ones are in the later topics, and should not begin last.
    ids.reverse();
    let claimed = ids.into_iter().enumerate().filter(|(number, _)| part.claims(*number));
    let reports = claimed.map(|(_, id)| run(id));
    let report = Report::joined(&suite, reports.collect());
    part.hand_over(&report)?;
    Ok(report)
}

/// Starts servers in this process.
struct InProcess<F>(F);

impl<F> Harness for InProcess<F>
where
    F: Fn(Health, Application) -> io::Result<Server> + Sync,
{
    fn start(&self, setup: &Setup, journal: &Journal) -> Result<Server, StartError> {
        write_records_to(journal);
        let assembled = Assembled::new(setup, journal)
            .map_err(|error| StartError::Refused(error.to_string()))?;
        let (health, application) = (assembled.health(), assembled.application());
        let server = (self.0)(health.clone(), application.clone())
            .map_err(|error| StartError::Failed(error.to_string()))?;
        Ok(server.with_commands(move |command| assembled.apply(command)))
    }
}

/// Hides the panics of scenarios from the output of a test.
pub fn quieten_expected_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let default = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let payload = info.payload();
            let text = payload.downcast_ref::<String>();
            let is_expected = text.is_some_and(|text| text.starts_with(EXPECTED_PANIC));
            if !is_expected && !payload.is::<Payload>() {
                default(info);
            }
        }));
    });
}

/// A crowd needs two file descriptors for each connection in a process that is client and server, more than the default
/// limit.
fn allow_many_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

        let limits = getrlimit(Resource::Nofile);
        let current = limits.maximum;
        // Without it, a crowd fails.
        let _ = setrlimit(Resource::Nofile, Rlimit { current, ..limits });
    }
}

static JOURNAL: Mutex<Option<Journal>> = Mutex::new(None);

/// Sends the records of the health endpoint to `journal` from now on.
fn write_records_to(journal: &Journal) {
    *lock(&JOURNAL) = Some(journal.clone());
    // An error means that it is already set.
    let _ = tracing::subscriber::set_global_default(Recorder);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes records of the health endpoint at INFO and above to the journal.
struct Recorder;

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(LOG_TARGET) && *metadata.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        if let Some(journal) = &*lock(&JOURNAL) {
            journal
                .record(Line::Log { level: event.metadata().level().to_string(), text: message.0 });
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
