//! The command line of the conformance suite.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use health_conformance::{KnownFailures, Options, Program, Suite};

/// Proves that a health endpoint answers, to the byte, as its contract says.
///
/// Exit code: 0 the server conforms, 1 it does not, 2 the suite could not be run.
#[derive(Parser)]
#[command(version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the scenarios against a program that speaks the testee protocol of docs/contract.md.
    Run(Run),
    /// List the scenarios: id, rule, and what each says.
    List,
}

#[derive(Args)]
struct Run {
    /// The program and its arguments, as one word: 'target/debug/examples/axum_testee'.
    #[arg(long, value_name = "PROGRAM ARGS")]
    cmd: String,
    /// Run only the scenarios whose id matches; `*` stands for any text.
    #[arg(long, value_name = "PATTERN", default_value = "*")]
    run: String,
    /// A TOML file of scenarios that the program is known to fail: [[known]] scenario = "…", reason = "…".
    #[arg(long, value_name = "FILE")]
    known: Option<PathBuf>,
    /// How many programs to run at once.
    #[arg(long, value_name = "N", default_value_t = 16)]
    jobs: usize,
}

fn main() -> ExitCode {
    let conforms = match CommandLine::parse().command {
        Command::List => list(),
        Command::Run(arguments) => run(&arguments),
    };
    match conforms {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("health-conformance: {error}");
            ExitCode::from(2)
        }
    }
}

fn list() -> Result<bool, String> {
    let suite = Suite::builtin().map_err(|error| error.to_string())?;
    for scenario in suite.scenarios() {
        let (id, rule, says) = (scenario.id(), scenario.rule(), scenario.says());
        say(&format!("{id:<42} {rule:<4} {says}"))?;
    }
    Ok(true)
}

fn run(arguments: &Run) -> Result<bool, String> {
    let program = Program::parse(&arguments.cmd)
        .ok_or_else(|| format!("--cmd {:?} is not a command", arguments.cmd))?;
    let suite = Suite::builtin().map_err(|error| error.to_string())?;
    if suite.matching(&arguments.run).next().is_none() {
        return Err(format!("--run {:?} matches no scenario", arguments.run));
    }
    let options = Options {
        only: arguments.run.clone(),
        jobs: arguments.jobs,
        known: known_failures(arguments)?,
        rerun: rerun(&program, arguments),
        ..Options::default()
    };
    program.try_out().map_err(|error| error.to_string())?;
    let report = suite.run(&program, &options);
    say(&report.to_string())?;
    Ok(report.conforms())
}

/// The command that runs one scenario again.
fn rerun(program: &Program, arguments: &Run) -> String {
    let known = arguments.known.as_deref();
    let known = known.map(|path| format!(" --known {}", path.display()));
    let quoted = shlex::try_quote(&program.command()).map(Cow::into_owned);
    format!(
        "health-conformance run --cmd {}{} --run {{id}}",
        quoted.unwrap_or_else(|_| arguments.cmd.clone()),
        known.unwrap_or_default()
    )
}

fn known_failures(arguments: &Run) -> Result<KnownFailures, String> {
    let Some(path) = &arguments.known else {
        return Ok(KnownFailures::default());
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("--known {}: {error}", path.display()))?;
    KnownFailures::parse(&text).map_err(|error| format!("--known {}: {error}", path.display()))
}

fn say(line: &str) -> Result<(), String> {
    writeln!(io::stdout(), "{line}").map_err(|error| format!("standard output: {error}"))
}
