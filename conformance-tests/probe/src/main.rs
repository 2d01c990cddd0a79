//! The command: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    health_probe::run(std::env::args_os().skip(1))
}
