//! `health-conformance run`.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process;

use health_conformance::{
    Harness, KnownFailures, Options, Program, Report, RunningServer, Setup, Suite, try_out,
};

use crate::arguments::{Format, Run};
use crate::screen::{Progress, show};

/// Returns whether the server conforms.
pub(crate) fn run(arguments: &Run) -> Result<bool, Box<dyn Error>> {
    let suite = Suite::builtin()?;
    let options = options(arguments, &suite)?;
    let harness = harness(arguments)?;
    let interrupt = options.interrupt.clone();
    // The first signal ends the run cleanly, the second at once.
    ctrlc::set_handler(move || {
        if interrupt.set() {
            process::exit(2);
        }
    })?;
    try_out(&*harness, options.timeout)?;
    let progress = Progress::new();
    let report = suite.run_watched(&*harness, &options, &|done, total| progress.show(done, total));
    drop(progress);
    if options.interrupt.is_set() {
        return Err("interrupted: the servers were stopped and the disablefile removed".into());
    }
    print(&report, arguments)?;
    if !report.conforms() {
        eprintln!("health-conformance: the server does not conform: {}", report.summary());
    }
    Ok(report.conforms())
}

fn harness(arguments: &Run) -> Result<Box<dyn Harness>, Box<dyn Error>> {
    if let Some(url) = &arguments.server.url {
        let setup = match &arguments.setup {
            Some(path) => {
                let text = read("--setup", path)?;
                serde_json::from_str(&text)
                    .map_err(|error| format!("--setup {}: {error}", path.display()))?
            }
            None => Setup::default(),
        };
        let server = RunningServer::new(url, setup, arguments.disablefile.as_deref())?;
        return Ok(Box::new(server));
    }
    let command = arguments.server.cmd.as_deref().unwrap_or_default();
    let program =
        Program::parse(command).ok_or_else(|| format!("--cmd {command:?} is not a command"))?;
    Ok(Box::new(program.with_stop_timeout(arguments.stop_timeout)))
}

fn options(arguments: &Run, suite: &Suite) -> Result<Options, Box<dyn Error>> {
    for (option, patterns) in [("--run", &arguments.run), ("--skip", &arguments.skip)] {
        let is_idle = |pattern: &&String| suite.matching(pattern).next().is_none();
        if let Some(pattern) = patterns.iter().find(is_idle) {
            return Err(format!("{option} {pattern:?} matches no scenario").into());
        }
    }
    let known = match &arguments.known {
        Some(path) => KnownFailures::parse(&read("--known", path)?, suite)
            .map_err(|error| format!("--known {}: {error}", path.display()))?,
        None => KnownFailures::default(),
    };
    let everything = vec!["*".to_owned()];
    Ok(Options {
        run: if arguments.run.is_empty() { everything } else { arguments.run.clone() },
        skip: arguments.skip.clone(),
        jobs: arguments.jobs.into(),
        timeout: arguments.timeout,
        strict: arguments.strict,
        known,
        name: arguments.name.clone(),
        rerun: rerun(arguments),
        ..Options::default()
    })
}

/// The command that runs one scenario again.
fn rerun(arguments: &Run) -> String {
    let path = |path: &Path| path.display().to_string();
    let mut words = vec!["health-conformance".to_owned(), "run".to_owned()];
    for (option, value) in [
        ("--cmd", arguments.server.cmd.clone()),
        ("--url", arguments.server.url.clone()),
        ("--setup", arguments.setup.as_deref().map(path)),
        ("--disablefile", arguments.disablefile.as_deref().map(path)),
        ("--known", arguments.known.as_deref().map(path)),
        ("--timeout", Some(arguments.timeout.as_secs_f64().to_string())),
    ] {
        words.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
    }
    if arguments.strict {
        words.push("--strict".to_owned());
    }
    let command = shlex::try_join(words.iter().map(String::as_str));
    format!("{} --run {{id}}", command.unwrap_or_else(|_| words.join(" ")))
}

fn read(option: &str, path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{option} {}: {error}", path.display()))
}

fn print(report: &Report, arguments: &Run) -> Result<(), Box<dyn Error>> {
    match arguments.format {
        Format::Text if arguments.verbose => show(&format!("{report:#}"))?,
        Format::Text => show(&report.to_string())?,
        Format::Json => writeln!(io::stdout(), "{}", report.to_json()?)?,
        Format::Junit => write!(io::stdout(), "{}", report.to_junit()?)?,
    }
    Ok(())
}
