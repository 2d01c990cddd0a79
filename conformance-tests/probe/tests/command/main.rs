//! The command against servers of every kind: what it prints, and its exit code. And the library.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod arguments;
mod broken;
mod file;
mod library;
mod server;
#[cfg(unix)]
mod unix;
mod verdict;

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::process::{Command, Output};

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_health-probe"))
}

/// The result of one run of the command.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    /// What went to standard output, and to standard error.
    out: String,
    err: String,
}

impl Run {
    fn of<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        command().args(arguments).output().unwrap().into()
    }

    fn on(address: SocketAddr, options: &[&str]) -> Self {
        let url = format!("http://{address}/health");
        Self::of([options, &[&url]].concat())
    }

    /// Exit code 0 or 1, and this line.
    #[track_caller]
    fn concluded(&self, code: i32, line: &str) {
        let expected = format!("{line}\n");
        assert_eq!((self.code, &*self.out, &*self.err), (Some(code), &*expected, ""));
    }

    /// Exit code 2, and one line with the reason.
    #[track_caller]
    fn fails(&self, why: &str) {
        assert_eq!((self.code, &*self.out), (Some(2), ""), "{self:?}");
        assert!(
            self.err.starts_with("no response: ") || self.err.starts_with("health-probe: "),
            "{self:?}"
        );
        assert!(self.err.contains(why), "{why:?} is not in {self:?}");
        let (_, rest) = self.err.split_once('\n').unwrap();
        assert_eq!(rest, "", "one line");
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
