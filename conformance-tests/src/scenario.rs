//! Scenarios: data in TOML, one topic a file.
//!
//! # Format
//!
//! A file `topic.toml` holds scenarios with ids `topic/words-with-dashes`:
//!
//! ```toml
//! [[scenario]]
//! id = "maintenance/beats-failing-check"
//! rule = "H4"
//! level = "must"                    # or "should", or "note", which cannot fail; default: "must"
//! says = "no check is started in maintenance, and none can turn it into an error"
//! poller = "Varnish waits for it"   # who is at stake; default: the sentence of the rule
//! needs = ["log"]                   # capabilities, see below; default: none
//! setup = "failing"                 # a server described in setups.toml; default: "plain"
//! settings = { "healthcheck.maintenance_code" = "503" }  # laid over its settings; default: none
//!
//! [[scenario.step]]
//! marker = "file"                   # put at the disablefile's path before the request; default: as it is
//! commands = ["SWITCH on", "DRAIN"] # what the server is told before the request, in this order; default: nothing
//! method = "GET"                    # the default, as are the next three
//! target = "/health"
//! version = "HTTP/1.1"
//! headers = ["Host: localhost", "Connection: close"]   # the second not with `kept` and `pipelined`
//! body = ""
//! content_length = 0                # default: that of the body, where there is one
//! cut = 9                           # how many bytes of the request are sent; default: all
//! times = 1                         # how often to do this step; default: once
//! client = "alone"                  # how the client goes about it, see below; the default
//! connection = "closes"             # or "stays": what the server does with it; default: not looked at
//! answer = "maintenance"            # ok, degraded, starting, maintenance, draining, error, not-found, not-found-or-refused; or one of those below
//! results = ["OK", "ERROR timed out"]   # what is logged of each check, see below; default: what it reports
//! checks = "start"                  # how often the checks of the server start, see below; default: "rest"
//! until = true                      # asked again until all is so, for at most 10 s; default: asked once
//! meanwhile = "error"               # with `until`: the answers before; default: not looked at
//! reason = "MAINTENANCE"            # default: not looked at
//! warnings = 0                      # records at WARN; default: 0; a crowd may keep a stat waiting (H4), and have one more
//! ```
//!
//! `answer` stands for everything the contract says of it: status line, body, all headers, the log
//! record with its results in order, and that no name or message of a check is on the wire. Code, word and headers are those
//! that the endpoint at the path of `target` has for this state (H16); the record follows from the latches that are
//! held (H18), and from the log policy (H21). `error` is also what a dropped latch makes.
//!
//! | `client` | what it does | `answer` |
//! |---|---|---|
//! | `alone` | sends each request on a new connection | any; `ok-or-refused` where a server may say 400, 414 or 431 before the endpoint is reached |
//! | `kept` | goes on with the connection that the last such step left open | any |
//! | `pipelined` | sends all requests at once on one connection | any |
//! | `crowd` | sends each on a new connection, all before it reads an answer | any |
//! | `byte-by-byte` | sends each byte in a separate packet | any |
//! | `interrupted` | has its checks started before `commands` come, and then reads | any; one request |
//! | `half-closed` | closes its sending side before it reads | `ok-or-nothing` |
//! | `leaves` | goes away without reading; with `checks`, once they have started | `unread` |
//! | `lingers` | does not read, and stays to the end of the scenario | `unread` |
//! | `toggling` | touches and removes the disablefile, asking after each, while others ask all the time | `ok-or-maintenance` |
//!
//! `not-found-or-refused` is the server's own 404, 400, 405 or 501, for what is not the endpoint's.
//!
//! `results` has an entry for each check of the endpoint: its status, and then, if it matters, what its message starts with; `|`
//! stands between several beginnings, any of which will do. It must be given where the results of a check depend on what
//! went before: with `then`, with thresholds, and in the background. Otherwise they follow from the check: one that
//! is over only after its timeout is an ERROR whose message starts with `timed out`, or, when it was asked for before,
//! with `still running`: in a language that cannot end a check, it goes on.
//!
//! | `checks` | how often each check of the endpoint starts |
//! |---|---|
//! | `rest` | not at all |
//! | `start` | once for each request; requests at the same time may share a run |
//! | `share` | once, or twice, however many requests there are at the same time; of more than a hundred, once for fifty |
//! | `may-start` | once for each request, or less often: what went before may be still running |
//!
//! A check that may be still running from a request before may start less often, and one whose entry in `results`
//! is `ERROR still running` does not start. Starts of background checks are never counted.
//!
//! A scenario about the start has, instead of steps or before them:
//!
//! ```toml
//! start = "refused"                 # its settings are an error that names key and value; default: "ready"
//! start_warnings = 1                # records at WARN by the time it is ready; default: 0
//! start_checks = 3                  # how often background checks start, within 10 s, before anything is asked;
//!                                   # default: not looked at
//! ```
//!
//! A scenario is skipped, with the reason, where the server lacks a capability that it needs:
//!
//! | capability | what a server can show | needed by |
//! |---|---|---|
//! | `log` | its log records | what says so; elsewhere they are just not looked at |
//! | `checks` | the starts of its checks | the same |
//! | `reason` | a reason phrase | what says so |
//! | `panic` | a check that panics, or raises | each server with such a check |
//! | `optional` | a check that is optional (H13) | the same |
//! | `background` | a check with a period (H14) | the same |
//! | `thresholds` | a check that counts failures in a row (H15) | the same |
//! | `endpoints` | several endpoints (H16) | each server with more than one |
//! | `start-up` | a latch that holds it in its start-up (H18) | each server with a latch |
//! | `switch` | a maintenance switch in the program (H19) | what turns it |
//! | `drain` | a drain (H20) | what begins one |
//! | `log-policy` | a log of changes only (H21) | each server with one |
//!
//! Those from `optional` on are for servers that have no such concept: their owners lack it, rather than fail it. Timeouts and
//! shared runs are no capabilities. A server without them hangs, or stampedes what it checks, and has to fail.
//!
//! In settings, messages, targets and bodies, `{dir}` is a fresh directory, `{open}` one in it that
//! everybody may write to, and `{repeat:x:300}` three hundred times `x`; in targets, `{byte:ff}` is one raw
//! byte. A key that is not listed here is an error, and so is a scenario that does the same as another.

pub(crate) mod capability;
pub(crate) mod command;
pub(crate) mod expected_endpoint;
mod load;
pub(crate) mod marker;
mod results;
pub(crate) mod rule;
mod step;
pub(crate) mod template;
#[cfg(test)]
mod tests;
mod validate;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use self::capability::Capability;
use self::command::Command;
use self::rule::Rule;
use crate::setup::Setup;

pub use self::load::LoadError;
pub(crate) use self::results::{STILL_RUNNING, Wanted};
pub(crate) use self::step::{Answer, Checks, Client, Fate, Step};

/// All scenarios, and the rules they cite.
#[derive(Debug, Clone)]
pub struct Suite {
    pub(crate) rules: Vec<Rule>,
    pub(crate) scenarios: Vec<Scenario>,
}

impl Suite {
    /// The scenarios, in the order they are reported.
    pub fn scenarios(&self) -> impl Iterator<Item = &Scenario> {
        self.scenarios.iter()
    }

    /// The rules of the contract.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// The scenarios whose id matches `pattern`; `*` stands for any text.
    pub fn matching<'a>(&'a self, pattern: &str) -> impl Iterator<Item = &'a Scenario> + use<'a> {
        let pattern = WildMatch::new(pattern);
        self.scenarios().filter(move |scenario| pattern.matches(&scenario.id))
    }

    /// The rule that a scenario cites.
    pub(crate) fn rule_of(&self, scenario: &Scenario) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == scenario.rule)
    }
}

/// One scenario: a server, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub(crate) id: String,
    pub(crate) rule: String,
    pub(crate) level: Level,
    pub(crate) title: String,
    pub(crate) why: Option<String>,
    pub(crate) needs: Vec<Capability>,
    pub(crate) setup: Setup,
    /// The settings that are this scenario's own.
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) start: Start,
    pub(crate) start_warnings: usize,
    pub(crate) start_checks: usize,
    pub(crate) steps: Vec<Step>,
}

impl Scenario {
    /// Its name, such as `maintenance/beats-failing-check`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The rule it cites, such as `H4`.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// How much a failure weighs.
    pub fn level(&self) -> Level {
        self.level
    }

    /// What it says, in a sentence.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What a server has to be able to show.
    pub fn needs(&self) -> &[Capability] {
        &self.needs
    }

    /// The server it is about; `{dir}` stands for a fresh directory.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Whether it is about the start of the server, and not about an answer.
    pub(crate) fn is_about_the_start(&self) -> bool {
        self.start == Start::Refused
            || self.start_warnings > 0
            || self.start_checks > 0
            || self.steps.is_empty()
    }

    /// Whether it touches the disablefile.
    pub(crate) fn has_marker(&self) -> bool {
        self.steps.iter().any(|step| step.marker.is_some() || step.client == Client::Toggling)
    }

    /// Whether what it does could show in the next scenario on the same server.
    pub(crate) fn leaves_traces(&self) -> bool {
        self.setup.has_memory() || self.commands().next().is_some()
    }

    /// What it tells the server, in this order.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &Command> {
        self.steps.iter().flat_map(|step| &step.commands)
    }

    /// Whether the two differ in nothing but their words.
    fn does_as(&self, other: &Self) -> bool {
        self.setup == other.setup
            && self.start == other.start
            && self.start_warnings == other.start_warnings
            && self.start_checks == other.start_checks
            && self.steps == other.steps
    }
}

/// How much it weighs that a scenario fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The server does not conform.
    #[default]
    Must,
    /// It is reported, and counts where a run is [strict](crate::Options::strict).
    Should,
    /// It is reported: servers may differ.
    Note,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Note => "note",
        })
    }
}

/// What becomes of the server's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Start {
    #[default]
    Ready,
    Refused,
}
