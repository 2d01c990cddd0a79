//! The poem adapter as a testee: see the testee protocol in `docs/contract.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    health_conformance::testee::main(health_testees::poem::serve)
}
