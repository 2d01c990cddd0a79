//! The command line, as clap reads it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Proves that a health endpoint answers, to the byte, as its contract says.
///
/// The scenarios are built in. `list` shows them, `explain` one of them; `run` plays them against a server
/// in any language and reports every difference; `matrix` makes one table of several reports.
///
/// Exit code: 0 the server conforms, 1 it does not, 2 the suite could not be run.
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
    /// List the scenarios: id, rule, level, and what each says.
    List {
        /// Only those whose id matches; `*` stands for any text.
        #[arg(default_value = "*", value_name = "GLOB")]
        pattern: String,
    },
    /// Explain a scenario: its rule, who cares, and the exchange it expects.
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

/// Play the scenarios against a server, and report every difference.
///
/// With --cmd, the suite starts a program that speaks the testee protocol: it gets settings and checks as JSON
/// in HEALTH_SETUP, prints READY http://127.0.0.1:PORT, LOG and CHECK lines, and ends with its standard input.
///
/// With --url, the server runs already: scenarios about another server than --setup says are skipped, each with
/// the reason, and its log is not looked at.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) server: WhichServer,
    /// What the server at --url was started with: JSON as in HEALTH_SETUP, such as
    /// {"settings": {"healthcheck.maintenance_code": "503"}, "checks": [{"name": "db"}]}
    /// [default: every setting its default, no checks]
    #[arg(long, value_name = "FILE", conflicts_with = "cmd", verbatim_doc_comment)]
    pub(crate) setup: Option<PathBuf>,
    /// The marker file of the server at --url: the suite touches and removes it, so nothing may be there.
    #[arg(long, value_name = "PATH", conflicts_with = "cmd")]
    pub(crate) disablefile: Option<PathBuf>,
    /// Play only the scenarios whose id matches; `*` stands for any text. May be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) run: Vec<String>,
    /// Do not play the scenarios whose id matches. May be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) skip: Vec<String>,
    /// Count a `should` that fails as a failure.
    #[arg(long)]
    pub(crate) strict: bool,
    /// What the server is known to fail, and to lack, with a reason each: TOML such as
    ///   [[known]]
    ///   scenario = "method/unknown-*"
    ///   fields = ["status", "body", "header", "log", "checks"]
    ///   reason = "the framework answers 400 to a method it does not know"
    ///   [[always]]            # in any scenario
    ///   fields = ["header cache-control"]
    ///   reason = "the proxy in front adds max-age"
    ///   [[lacks]]
    ///   capability = "log"    # or another that a scenario needs, as `explain` says
    ///   reason = "its log goes to another machine"
    /// A [[known]] entry that excuses nothing in a scenario that it matches is a failure: it is out of date.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub(crate) known: Option<PathBuf>,
    /// What the report calls the server: a word, which heads its column in a matrix, and perhaps its version.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) name: String,
    /// How the report is written to standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Show every skipped scenario and every failure in full, not only the first of each kind.
    #[arg(long)]
    pub(crate) verbose: bool,
    /// How many seconds an answer may take. A program has 60 to start.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// How many seconds a program may take to end when its standard input closes.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, conflicts_with = "url")]
    pub(crate) stop_timeout: Duration,
    /// How many programs run at once.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: u16,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct WhichServer {
    /// A program that speaks the testee protocol, and its arguments, as one word:
    /// 'target/debug/examples/axum_testee'.
    #[arg(long, value_name = "PROGRAM ARGS")]
    pub(crate) cmd: Option<String>,
    /// The address of a server that runs already: http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: what failed, what is known to, and a sum.
    Text,
    /// Everything, for `matrix` and other programs.
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
