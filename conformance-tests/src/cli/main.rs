//! The command line of the conformance suite.

mod arguments;
mod run;
mod screen;

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use health_conformance::{Matrix, Report, Suite};

use self::arguments::{Command, CommandLine};

fn main() -> ExitCode {
    let conforms = match CommandLine::parse().command {
        Command::List { pattern } => list(&pattern),
        Command::Explain { id } => explain(&id),
        Command::Run(arguments) => run::run(&arguments),
        Command::Matrix { reports } => matrix(&reports),
    };
    match conforms {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if is_closed_pipe(&*error) => ExitCode::from(2),
        Err(error) => {
            eprintln!("health-conformance: {error}");
            ExitCode::from(2)
        }
    }
}

/// `list | head` closes the pipe early.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn list(pattern: &str) -> Result<bool, Box<dyn Error>> {
    let suite = Suite::builtin()?;
    let mut output = io::stdout().lock();
    if suite.matching(pattern).next().is_none() {
        return Err(format!("{pattern:?} matches no scenario").into());
    }
    for scenario in suite.matching(pattern) {
        let (id, rule, level) = (scenario.id(), scenario.rule(), scenario.level());
        writeln!(output, "{id:<48} {rule:<4} {level:<6} {}", scenario.title())?;
    }
    Ok(true)
}

fn explain(id: &str) -> Result<bool, Box<dyn Error>> {
    let explanation = Suite::builtin()?
        .explain(id)
        .ok_or_else(|| format!("there is no scenario {id:?}; `list` shows all"))?;
    io::stdout().write_all(explanation.as_bytes())?;
    Ok(true)
}

fn matrix(paths: &[PathBuf]) -> Result<bool, Box<dyn Error>> {
    let mut reports = Vec::new();
    for path in paths {
        let named = |error: &dyn Error| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| named(&error))?;
        reports.push(Report::from_json(&text).map_err(|error| named(&error))?);
    }
    write!(io::stdout(), "{}", Matrix::merge(reports)?)?;
    Ok(true)
}
