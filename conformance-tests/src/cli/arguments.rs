//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Tests a health endpoint against its contract, over HTTP.
///
/// The scenarios are built in. `list` shows all of them and `explain` one; `run` runs them against a server in any
/// language and reports every difference; `matrix` merges several reports into one table.
///
/// Exit code: 0 the server conforms, 1 it does not, 2 the suite could not run.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  health-conformance explain maintenance/beats-failing-check
  health-conformance run --cmd 'python3 testee.py' --run 'query/*'
  health-conformance run --url http://127.0.0.1:8080 --disablefile /run/shop/maintenance
  health-conformance run --cmd ./testee --known known.toml --strict --format junit > junit.xml";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the scenarios: id, rule, level and title.
    List {
        /// List only scenarios whose id matches; `*` matches any text.
        #[arg(default_value = "*", value_name = "GLOB")]
        pattern: String,
    },
    /// Explain a scenario: its rule, the reason for it, and the requests and responses.
    Explain {
        /// The scenario's id, as `list` shows it.
        id: String,
    },
    Run(Box<Run>),
    /// Merge reports made by `run --format json` into one table, as Markdown.
    Matrix {
        /// The reports, in the order of their columns.
        #[arg(required = true, value_name = "REPORT")]
        reports: Vec<PathBuf>,
    },
}

/// Run the scenarios against a server, and report every difference.
///
/// With --cmd, the suite starts a program that speaks the testee protocol: it gets settings and checks as JSON
/// in HEALTH_SETUP, prints READY http://127.0.0.1:PORT, LOG and CHECK lines, and exits when its standard input closes.
///
/// With --url, the server is already running. Scenarios that need another setup than --setup describes are skipped, and
/// log records are not tested.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) server: WhichServer,
    /// The setup of the server at --url: JSON as in HEALTH_SETUP, such as
    /// {"settings": {"healthcheck.maintenance_code": "503"}, "checks": [{"name": "db"}]}
    /// [default: default settings, no checks]
    #[arg(long, value_name = "FILE", conflicts_with = "cmd", verbatim_doc_comment)]
    pub(crate) setup: Option<PathBuf>,
    /// The disablefile of the server at --url. The suite creates and removes it, so it must not exist.
    #[arg(long, value_name = "PATH", conflicts_with = "cmd")]
    pub(crate) disablefile: Option<PathBuf>,
    /// Run only scenarios whose id matches; `*` matches any text. Can be repeated.
    #[arg(long, value_name = "GLOB")]
    pub(crate) run: Vec<String>,
    /// Do not run scenarios whose id matches. Can be repeated.
    #[arg(long, value_name = "GLOB")]
    pub(crate) skip: Vec<String>,
    /// Treat a failed `should` as a failure.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Known failures and missing capabilities of the server, each with a reason: TOML such as
    ///   [[known]]
    ///   scenario = "method/unknown-*"
    ///   fields = ["status", "body", "header", "log", "checks"]
    ///   reason = "the framework responds 400 to an unknown method"
    ///   [[always]]            # in any scenario
    ///   fields = ["header cache-control"]
    ///   reason = "the proxy in front adds max-age"
    ///   [[lacks]]
    ///   capability = "log"    # or another one that `explain` shows
    ///   reason = "its log goes to another machine"
    /// A [[known]] entry that no longer applies to a scenario that it matches is a failure.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub(crate) known: Option<PathBuf>,
    /// The name of the server in the report, optionally with its version. The first word heads its column in a matrix.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) name: String,
    /// The format of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Show every skipped scenario and every failure in full, not only the first of each kind.
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Limit for a response, in seconds. A program has 60 seconds to start.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Limit for a program to exit after its standard input closes, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, conflicts_with = "url")]
    pub(crate) stop_timeout: Duration,
    /// Number of programs that run at the same time.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: u16,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct WhichServer {
    /// A program that speaks the testee protocol, and its arguments, as one string:
    /// 'target/debug/examples/axum_testee'.
    #[arg(long, value_name = "PROGRAM ARGS")]
    pub(crate) cmd: Option<String>,
    /// The address of a running server: http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: failures, known failures, and a summary.
    Text,
    /// For `matrix` and other programs: everything.
    Json,
    /// For continuous integration.
    Junit,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| *time >= Duration::from_millis(1) && *time <= Duration::from_secs(3600))
        .ok_or_else(|| "not between 0.001 and 3600".to_owned())
}
