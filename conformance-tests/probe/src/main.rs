//! Asks a health endpoint once, over plain HTTP/1.1, and says with its exit code what it found.
//!
//! It is for container images that have no curl, and does no more than a health check needs: no TLS, no
//! redirects, no more of the answer than tells healthy from maintenance.

mod answer;
mod arguments;
mod exchange;
mod url;
mod verdict;

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use crate::answer::Answer;
use crate::arguments::{HELP, Invocation, Probe};
use crate::exchange::{Progress, Stage};
use crate::verdict::Verdict;

const FAILING: u8 = 1;
const COULD_NOT_ASK: u8 = 2;

fn main() -> ExitCode {
    match arguments::parse(env::args_os().skip(1)) {
        Ok(Invocation::Help) => say(HELP),
        Ok(Invocation::Version) => say(concat!("health-probe ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Invocation::Probe(probe)) => {
            let maintenance_ok = probe.maintenance_ok;
            match ask(probe) {
                Ok(answer) => conclude(Verdict::of(&answer, maintenance_ok)),
                Err(reason) => could_not_ask(&reason),
            }
        }
        Err(mistake) => could_not_ask(&format!("{mistake}; see --help")),
    }
}

/// The answer, or why there is no answer, when the time is over at the latest: nothing that the exchange waits for
/// can hold up this thread, neither a resolver nor a server that sends a byte a second.
fn ask(probe: Probe) -> Result<Answer, String> {
    let timeout = probe.timeout;
    let deadline = Instant::now() + timeout;
    let (progress, observed) = mpsc::channel();
    thread::Builder::new()
        .spawn(move || {
            let result = exchange::run(&probe, deadline, &progress);
            // The receiver is gone when the time is over.
            let _ = progress.send(Progress::Done(result));
        })
        .map_err(|error| format!("no thread to ask in: {error}"))?;

    let mut stage = Stage::Resolving;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match observed.recv_timeout(left) {
            Ok(Progress::Reached(reached)) => stage = reached,
            Ok(Progress::Done(result)) => return result,
            Err(RecvTimeoutError::Timeout) => {
                return Err(format!("time-out after {timeout:?}, {stage}"));
            }
            Err(RecvTimeoutError::Disconnected) => return Err(format!("gave up {stage}")),
        }
    }
}

// The reader of the output may have gone, or the disk may be full: the exit code still says it.

fn say(text: &str) -> ExitCode {
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn conclude(verdict: Verdict) -> ExitCode {
    let _ = writeln!(io::stdout(), "{verdict}");
    match verdict {
        Verdict::Healthy(_) => ExitCode::SUCCESS,
        Verdict::Failing(_) => ExitCode::from(FAILING),
    }
}

fn could_not_ask(reason: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "could not ask: {reason}");
    ExitCode::from(COULD_NOT_ASK)
}
