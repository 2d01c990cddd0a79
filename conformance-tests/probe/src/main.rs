#![doc = include_str!("../README.md")]

mod arguments;
mod exchange;
mod response;
mod url;
mod verdict;

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use crate::arguments::{HELP, Invocation, Probe};
use crate::exchange::{Progress, Stage};
use crate::response::Response;
use crate::verdict::Verdict;

const FAILING: u8 = 1;
const NO_RESPONSE: u8 = 2;

fn main() -> ExitCode {
    match arguments::parse(env::args_os().skip(1)) {
        Ok(Invocation::Help) => print(HELP),
        Ok(Invocation::Version) => print(concat!("health-probe ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Invocation::Probe(probe)) => {
            let maintenance_ok = probe.maintenance_ok;
            match request(probe) {
                Ok(response) => conclude(Verdict::of(&response, maintenance_ok)),
                Err(reason) => fail(&format!("no response: {reason}")),
            }
        }
        Err(mistake) => fail(&format!("health-probe: {mistake}; see --help")),
    }
}

/// Sends the request and returns the response, within the timeout. The exchange runs on another thread, so that neither a
/// resolver nor a server that sends a byte a second can delay this one.
///
/// # Errors
///
/// The reason why there is no response.
fn request(probe: Probe) -> Result<Response, String> {
    let timeout = probe.timeout;
    let deadline = Instant::now() + timeout;
    let (progress, observed) = mpsc::channel();
    thread::Builder::new()
        .spawn(move || {
            let result = exchange::run(&probe, deadline, &progress);
            // After the timeout there is no receiver.
            let _ = progress.send(Progress::Done(result));
        })
        .map_err(|error| format!("cannot start a thread: {error}"))?;

    let mut stage = Stage::Resolving;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match observed.recv_timeout(left) {
            Ok(Progress::Reached(reached)) => stage = reached,
            Ok(Progress::Done(result)) => return result,
            Err(RecvTimeoutError::Timeout) => {
                return Err(format!("timed out after {timeout:?} {stage}"));
            }
            Err(RecvTimeoutError::Disconnected) => return Err(format!("gave up {stage}")),
        }
    }
}

// The output may be closed, or the disk full: the exit code is still right.

fn print(text: &str) -> ExitCode {
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

fn fail(message: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{message}");
    ExitCode::from(NO_RESPONSE)
}
