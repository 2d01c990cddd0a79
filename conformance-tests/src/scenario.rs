//! Scenarios are data in TOML, one file per topic.
//!
//! # Format
//!
//! A file `topic.toml` contains scenarios with ids `topic/words-with-dashes`:
//!
//! ```toml
//! [[scenario]]
//! id = "maintenance/beats-failing-check"
//! rule = "H4"
//! level = "must"                    # or "should", or "note", which cannot fail; default: "must"
//! title = "no check starts in maintenance, and a failing check does not change the response"
//! why = "Varnish waits for it"      # default: that of the rule
//! needs = ["log"]                   # capabilities, see below; default: none
//! setup = "failing"                 # a setup of setups.toml; default: "plain"
//! settings = { "healthcheck.maintenance_code" = "503" }  # overrides settings of the setup; default: none
//!
//! [[scenario.step]]
//! marker = "file"                   # created at the path of the disablefile before the request; default: unchanged
//! commands = ["SWITCH on", "DRAIN"] # sent to the server before the request, in this order; default: none
//! method = "GET"                    # the default, as are the next three
//! target = "/health"
//! version = "HTTP/1.1"
//! headers = ["Host: localhost", "Connection: close"]   # the second not with `kept` and `pipelined`
//! body = ""
//! content_length = 0                # default: that of the body, if there is one
//! cut = 9                           # number of bytes of the request that are sent; default: all
//! times = 1                         # number of repetitions of this step; default: 1
//! client = "alone"                  # behavior of the client, see below; default: "alone"
//! connection = "closes"             # or "stays": what the server does with it; default: not tested
//! response = "maintenance"          # ok, degraded, starting, maintenance, draining, error, application, not-found, not-found-or-refused, or as below
//! format = "json"                   # or health, spring, healthchecks-ui, verbose, html, prometheus, openmetrics: that of the details (H31); default: the word
//! level = "full"                    # with `format`: the level of the details (H29); default: "states"
//! results = ["OK", "ERROR timed out"]   # logged results of the checks, see below; default: the reported ones
//! checks = "start"                  # how often the checks of the server start, see below; default: "rest"
//! until = true                      # repeats the request until everything matches, for at most 10 s; default: false
//! meanwhile = "error"               # with `until`: the responses before; default: not tested
//! drain = "lasts"                   # what becomes of the drain after the response, see below; default: not tested
//! after_poll = 1000                 # with `drain = "ends"`: milliseconds from the last poll, at least; default: not tested
//! reason = "MAINTENANCE"            # default: not tested
//! warnings = 0                      # records at WARN; a crowd may cause one more if a stat is delayed (H4); default: 0
//! ```
//!
//! `response` covers everything that the contract defines: status line, body, all headers, the log record with its
//! results in order, and that the response contains no name or message of a check. Code, body and headers are those of
//! the endpoint at the path of `target` for this state (H16). The record follows from the held latches (H18) and from
//! the log policy (H21). A dropped latch leads to `error`.
//!
//! | `client` | behavior | `response` |
//! |---|---|---|
//! | `alone` | sends each request on a new connection | any; `ok-or-refused` if a server may respond 400, 414 or 431 before the endpoint is reached |
//! | `kept` | uses the connection that the last such step left open | any |
//! | `pipelined` | sends all requests at once on one connection | any |
//! | `crowd` | sends each request on a new connection, all before it reads a response | any |
//! | `byte-by-byte` | sends each byte in a separate packet | any |
//! | `interrupted` | sends the request, waits until the checks, or the page of the application, have started, has the `commands` sent, and then reads | any; one request |
//! | `half-closed` | closes its sending side before it reads | `ok-or-nothing` |
//! | `leaves` | disconnects without reading; with `checks`, after they have started | `unread` |
//! | `lingers` | does not read, and stays connected to the end of the scenario | `unread` |
//! | `toggling` | creates and removes the disablefile with a request after each, while other clients poll | `ok-or-maintenance` |
//! | `polls` | sends the request again and again on new connections until the drain has ended | `draining`, with `drain = "ends"` |
//!
//! `application` is the page of the application at `target`: `/application`, `/slow` or `/stream` of the testee
//! protocol. A scenario that requests one of them also tests the header `Connection` of every response, and that the
//! server closes the connection after it (H26). The last two wait for `FINISH`: they are `unread`, or read by a client
//! that it interrupts.
//!
//! `not-found-or-refused` is a 404, 400, 405 or 501 of the server, for requests that no endpoint handles.
//!
//! `results` has an entry for each check of the endpoint: its status, and optionally the beginning of its message; `|`
//! separates alternatives, and `*` is any text without comma and colon. It is required if the results depend on earlier
//! executions: with `then`, thresholds, and background checks. Otherwise they follow from the check: a check that
//! exceeds its timeout is an ERROR with a message that starts with `timed out`, or, if it was started by an earlier
//! request, with `still running`, because some languages cannot end a check. A last entry `DELAYED` is that of a
//! delayed return to healthy (H25).
//!
//! | `checks` | how often each check of the endpoint starts |
//! |---|---|
//! | `rest` | never |
//! | `start` | once per request; concurrent requests may share a run |
//! | `share` | once or twice, however many concurrent requests there are; of more than a hundred, once per fifty |
//! | `may-start` | at most once per request: an earlier execution may be still running |
//!
//! | `drain` | what becomes of the drain (H27), whose minimum and maximum are those of the setup |
//! |---|---|
//! | `lasts` | it has not ended 600 ms after the response |
//! | `ends` | it ends: not before the minimum, and not by the maximum. `polls` must have been told as often as it has to be, a second before |
//! | `ends-at-maximum` | it ends, and the application is told: not before the maximum |
//!
//! A check that may be still running from an earlier request may start less often, and a check with the entry
//! `ERROR still running` in `results` does not start. Starts of background checks are not counted.
//!
//! A scenario about the start has these keys instead of steps, or in addition to them:
//!
//! ```toml
//! start = "refused"                 # the settings are an error that contains key and value; default: "ready"
//! start_warnings = 1                # records at WARN until the server is ready; default: 0
//! start_checks = 3                  # starts of background checks within 10 s before the first request; default: not tested
//! ```
//!
//! A scenario is skipped if the server lacks a capability that it needs:
//!
//! | capability | the server has | needed by |
//! |---|---|---|
//! | `log` | observable log records | scenarios that list it; in others log records are not tested without it |
//! | `checks` | observable starts of checks | the same |
//! | `reason` | reason phrases | scenarios that list it |
//! | `panic` | checks that panic or raise | setups with such a check |
//! | `optional` | optional checks (H13) | the same |
//! | `background` | checks with a period (H14) | the same |
//! | `thresholds` | checks with thresholds (H15) | the same |
//! | `shared-dependencies` | checks of shared dependencies (H22) | the same |
//! | `rich-results` | degraded results, reasons and values (H23) | the same |
//! | `slow-checks` | a warning about slow checks (H12) | setups with `slow_percent` |
//! | `peers` | an exchange with peers about them (H24) | the same |
//! | `endpoints` | several endpoints (H16) | setups with more than one |
//! | `recovery-delay` | a delay of an endpoint's return to healthy (H25) | the same |
//! | `start-up` | start-up latches (H18) | setups with a latch |
//! | `switch` | a maintenance switch in the program (H19) | scenarios that turn it |
//! | `drain` | a drain (H20) | scenarios that begin one |
//! | `application` | an application, which the drain covers (H26) | scenarios that request a page of it |
//! | `drain-end` | a drain that can end early, and has a maximum (H27) | setups with the time of one |
//! | `details` | an endpoint with details (H29) | setups with one |
//! | `check-paths` | an endpoint that also responds for each of its checks (H32) | setups with one |
//! | `log-policy` | a log of changes only (H21) | setups with one |
//!
//! Servers without the concept lack the capabilities from `optional` on, instead of failing the scenarios. Timeouts and
//! shared runs are not capabilities: a server without them hangs, or overloads what its checks test, and must fail.
//!
//! In settings, messages, targets and bodies, `{dir}` is a fresh directory, `{open}` a world-writable directory in it,
//! and `{repeat:x:300}` is `x` three hundred times; in targets, `{byte:ff}` is one raw byte. Unknown keys are an error,
//! and so is a scenario with the same setup and steps as another.

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
pub(crate) use self::results::{STILL_RUNNING, Wanted, starts_with};
pub(crate) use self::step::{Answer, Checks, Client, DrainEnd, Fate, Format, Step};

/// All scenarios and the rules that they cite.
#[derive(Debug, Clone)]
pub struct Suite {
    pub(crate) rules: Vec<Rule>,
    pub(crate) scenarios: Vec<Scenario>,
}

impl Suite {
    /// The scenarios, in the order of a report.
    pub fn scenarios(&self) -> impl Iterator<Item = &Scenario> {
        self.scenarios.iter()
    }

    /// The rules of the contract.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// The scenarios whose id matches `pattern`; `*` matches any text.
    pub fn matching<'a>(&'a self, pattern: &str) -> impl Iterator<Item = &'a Scenario> + use<'a> {
        let pattern = WildMatch::new(pattern);
        self.scenarios().filter(move |scenario| pattern.matches(&scenario.id))
    }

    /// The rule that a scenario cites.
    pub(crate) fn rule_of(&self, scenario: &Scenario) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == scenario.rule)
    }
}

/// One scenario: a server, requests to it, and the expected responses.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub(crate) id: String,
    pub(crate) rule: String,
    pub(crate) level: Level,
    pub(crate) title: String,
    pub(crate) why: Option<String>,
    pub(crate) needs: Vec<Capability>,
    pub(crate) setup: Setup,
    /// The settings of this scenario, in addition to those of the setup.
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) start: Start,
    pub(crate) start_warnings: usize,
    pub(crate) start_checks: usize,
    pub(crate) steps: Vec<Step>,
}

impl Scenario {
    /// The id, such as `maintenance/beats-failing-check`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The number of the rule that it cites, such as `H4`.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The weight of a failure.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The title, a sentence.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The capabilities that a server needs.
    pub fn needs(&self) -> &[Capability] {
        &self.needs
    }

    /// The setup of the server; `{dir}` is replaced by a fresh directory.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Whether it tests the start of the server, and not only responses.
    pub(crate) fn is_about_the_start(&self) -> bool {
        self.start == Start::Refused
            || self.start_warnings > 0
            || self.start_checks > 0
            || self.steps.is_empty()
    }

    /// Whether it creates the disablefile.
    pub(crate) fn has_marker(&self) -> bool {
        self.steps.iter().any(|step| step.marker.is_some() || step.client == Client::Toggling)
    }

    /// Whether it can affect the next scenario on the same server.
    pub(crate) fn leaves_traces(&self) -> bool {
        self.setup.has_memory() || self.commands().next().is_some()
    }

    /// The commands that it sends to the server, in this order.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &Command> {
        self.steps.iter().flat_map(|step| &step.commands)
    }

    /// Whether both have the same setup and steps.
    fn does_as(&self, other: &Self) -> bool {
        self.setup == other.setup
            && self.start == other.start
            && self.start_warnings == other.start_warnings
            && self.start_checks == other.start_checks
            && self.steps == other.steps
    }
}

/// The weight of a failed scenario.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The server does not conform.
    #[default]
    Must,
    /// The failure is reported, and counts in a [strict](crate::Options::strict) run.
    Should,
    /// The failure is reported, and never counts: servers may differ.
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

/// The expected result of the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Start {
    #[default]
    Ready,
    Refused,
}
