//! The command line from its arguments to its exit code.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::arguments::{self, HELP, Invocation};
use crate::file::check_file;
use crate::verdict::Verdict;

const FAILING: u8 = 1;
const NO_RESPONSE: u8 = 2;

/// Runs the command line of `health-probe` with these arguments, and returns its exit code. The name of the program is
/// not one of the arguments.
///
/// | exit code | meaning | printed to |
/// |---|---|---|
/// | 0 | healthy: the response is 200, the file is new enough, or help or version was requested | standard output |
/// | 1 | failing: any other response, including maintenance without `--maintenance-ok`; the file is old or missing | standard output |
/// | 2 | no complete response in time, or invalid arguments | standard error |
///
/// It prints one line, and blocks the calling thread until the timeout at the latest: see
/// [`Probe::send`](crate::Probe::send).
///
/// ```
/// use std::process::ExitCode;
///
/// let code = health_probe::run(["--timeout=4", "http://127.0.0.1:1/health"]);
/// assert_eq!(code, ExitCode::from(2)); // nothing listens on this port
/// ```
pub fn run<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> ExitCode {
    match arguments::parse(arguments.into_iter().map(Into::into)) {
        Ok(Invocation::Help) => print(HELP),
        Ok(Invocation::Version) => print(concat!("health-probe ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Invocation::Probe(probe)) => match probe.send() {
            Ok(verdict) => conclude(&verdict),
            Err(error) => fail(&error.to_string()),
        },
        Ok(Invocation::File { path, max_age }) => conclude(&check_file(path, max_age)),
        Err(mistake) => fail(&format!("health-probe: {mistake}; see --help")),
    }
}

// The output may be closed, or the disk full: the exit code is still right.

fn print(text: &str) -> ExitCode {
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn conclude(verdict: &Verdict) -> ExitCode {
    let _ = writeln!(io::stdout(), "{verdict}");
    if verdict.is_healthy() { ExitCode::SUCCESS } else { ExitCode::from(FAILING) }
}

fn fail(message: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{message}");
    ExitCode::from(NO_RESPONSE)
}
