//! A scenario in words: its rule, the reason for it, and the requests and responses.

use std::fmt::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::Request;
use crate::client::behaviour::request;
use crate::judge::history::History;
use crate::judge::{expected_headers, expected_record, expected_results};
use crate::scenario::capability::Capability;
use crate::scenario::expected_endpoint::{ExpectedEndpoint, expected_answer};
use crate::scenario::{Answer, Checks, Client, DrainEnd, Fate, Scenario, Start, Step, Suite};
use crate::setup::{
    Behaviour, Check, DetailLevel, Endpoint, Execution, LogPolicy, RunChecks, Setup,
};

impl Suite {
    /// Returns a description of a scenario: its rule, the reason for it, and the requests and responses. `None` if no
    /// scenario has this id.
    pub fn explain(&self, id: &str) -> Option<String> {
        let scenario = self.scenarios().find(|scenario| scenario.id() == id)?;
        let mut text = String::new();
        // A string takes everything that is written to it.
        let _ = self.write_explanation(&mut text, scenario);
        Some(text)
    }

    fn write_explanation(&self, text: &mut String, scenario: &Scenario) -> fmt::Result {
        let (id, level, title) = (&scenario.id, scenario.level, &scenario.title);
        writeln!(text, "{id} ({level}): {title}")?;
        if let Some(rule) = self.rule_of(scenario) {
            writeln!(text, "\nrule    {rule}")?;
            writeln!(text, "why     {}", scenario.why.as_ref().unwrap_or(&rule.why))?;
        }
        if !scenario.needs.is_empty() {
            let needs: Vec<_> = scenario.needs.iter().map(ToString::to_string).collect();
            writeln!(text, "needs   {}", needs.join(", "))?;
        }
        write_given(text, &scenario.setup)?;
        match (scenario.start, scenario.start_warnings) {
            (Start::Refused, _) => {
                writeln!(
                    text,
                    "\nThe server does not start. Its error contains the setting, its value and the rule."
                )?;
            }
            (Start::Ready, 0) => {}
            (Start::Ready, count) => writeln!(text, "\nDuring the start: {count} record at WARN.")?,
        }
        if scenario.start_checks > 0 {
            let count = scenario.start_checks;
            writeln!(text, "\nBefore the first request: CHECK {count} times.")?;
        }
        let mut history = History::of(&scenario.setup);
        history.covers_application = scenario.needs.contains(&Capability::Application);
        for (index, step) in scenario.steps.iter().enumerate() {
            for command in &step.commands {
                history.apply(command, Instant::now());
            }
            write_step(text, index + 1, step, &scenario.setup, &history)?;
            history.answered(&scenario.setup, step, &[step.response]);
        }
        Ok(())
    }
}

fn write_given(text: &mut String, setup: &Setup) -> fmt::Result {
    writeln!(text, "\nA server with")?;
    for (key, value) in &setup.settings {
        writeln!(text, "  {key} = {value:?}")?;
    }
    for check in &setup.checks {
        write_check(text, check)?;
    }
    if setup.checks.is_empty() {
        writeln!(text, "  no checks")?;
    }
    for endpoint in &setup.endpoints {
        write_endpoint(text, endpoint)?;
    }
    for latch in &setup.latches {
        writeln!(text, "  start-up latch {latch:?}, held")?;
    }
    if let Some(percent) = setup.slow_percent {
        writeln!(text, "  a check is slow after {percent} % of its timeout")?;
    }
    if let Some(drain) = setup.drain {
        write!(text, "  a drain lasts {} ms", drain.at_least.as_millis())?;
        if let Some(at_most) = drain.at_most {
            write!(text, " at least, and {} ms at most", at_most.as_millis())?;
        }
        if let Some(threshold) = drain.failure_threshold {
            write!(text, ", and a poller is told {threshold} times")?;
        }
        writeln!(text)?;
    }
    match setup.log {
        LogPolicy::Every => Ok(()),
        LogPolicy::Change => writeln!(text, "  log of changes only"),
    }
}

fn write_endpoint(text: &mut String, endpoint: &Endpoint) -> fmt::Result {
    let (path, preset) = (&endpoint.path, endpoint.preset);
    write!(text, "  endpoint {path}: {preset:?}")?;
    if let Some(checks) = &endpoint.checks {
        write!(text, ", checks {checks:?}")?;
    }
    if !endpoint.tags.is_empty() {
        write!(text, ", checks tagged {:?}", endpoint.tags)?;
    }
    match endpoint.run_checks {
        Some(RunChecks::Always) => write!(text, ", always")?,
        Some(RunChecks::OnRequest) => write!(text, ", on request")?,
        Some(RunChecks::Never) => write!(text, ", never")?,
        None => {}
    }
    for (names, criticality) in [(&endpoint.required, "required"), (&endpoint.optional, "optional")]
    {
        if !names.is_empty() {
            write!(text, ", {names:?} {criticality}")?;
        }
    }
    if let Some(seconds) = endpoint.retry_after {
        write!(text, ", Retry-After {seconds} s")?;
    }
    if let Some(max) = endpoint.recovery_delay {
        write!(text, ", recovers up to {} ms late", max.as_millis())?;
    }
    match endpoint.details {
        Some(DetailLevel::States) => write!(text, ", shows states")?,
        Some(DetailLevel::Full) => write!(text, ", shows everything")?,
        None => {}
    }
    if !endpoint.tokens.is_empty() {
        write!(text, ", shows everything for the tokens {:?}", endpoint.tokens)?;
    }
    if endpoint.check_paths {
        write!(text, ", a path for each check")?;
    }
    writeln!(text)
}

fn write_check(text: &mut String, check: &Check) -> fmt::Result {
    let first = check.execution(0);
    write!(text, "  check {:?}: {}", check.name, in_words(&first))?;
    if first.behaviour.outlives(check.timeout) || check.timeout != DEADLINE {
        write!(text, ", timeout {} ms", check.timeout.as_millis())?;
    }
    if check.optional {
        write!(text, ", optional")?;
    }
    if check.shared {
        write!(text, ", shared")?;
    }
    if let Some(limit) = check.fail_after {
        write!(text, ", fails after {} ms", limit.as_millis())?;
    }
    if let Some(period) = check.every {
        write!(text, ", every {} ms", period.as_millis())?;
    }
    if let Some(period) = check.every_while_failing {
        write!(text, ", every {} ms while it fails", period.as_millis())?;
    }
    if check.has_thresholds() {
        let (failures, successes) = (check.failure_threshold, check.success_threshold);
        write!(text, ", failure threshold {failures}, success threshold {successes}")?;
    }
    if !check.tags.is_empty() {
        write!(text, ", tags {:?}", check.tags)?;
    }
    if check.process_only {
        write!(text, ", process only")?;
    }
    for later in &check.then {
        write!(text, "; then {}", in_words(later))?;
    }
    writeln!(text)
}

/// The timeout of a check that is not shown.
const DEADLINE: Duration = Duration::from_secs(5);

fn in_words(execution: &Execution) -> String {
    let mut words = match execution.behaviour {
        Behaviour::Report => format!("{:?}", execution.status),
        behaviour => format!("{}, {:?}", String::from(behaviour), execution.status),
    };
    if let Some(message) = &execution.message {
        words += &format!(", {message:?}");
    }
    if execution.degraded {
        words += ", degraded";
    }
    if let Some(reason) = &execution.reason {
        words += &format!(", reason {reason:?}");
    }
    for value in &execution.values {
        words += &format!(", {} = {}", value.key(), value.number.0);
    }
    words
}

fn write_step(
    text: &mut String,
    number: usize,
    step: &Step,
    setup: &Setup,
    history: &History,
) -> fmt::Result {
    write!(text, "\n{number}.")?;
    if let Some(marker) = step.marker {
        write!(text, " At the path of the disablefile: {marker}.")?;
    }
    for command in &step.commands {
        write!(text, " The server gets the command {command}.")?;
    }
    if let Some(manner) = manner(step) {
        write!(text, " {manner}.")?;
    }
    writeln!(text)?;
    let request = request(step, Path::new("{dir}"));
    let sent =
        step.cut.map_or(&request.bytes[..], |cut| &request.bytes[..cut.min(request.bytes.len())]);
    for line in Request::lines(sent) {
        writeln!(text, "  > {line}")?;
    }
    match step.checks {
        Checks::Rest => {}
        Checks::Start if any_is_running(step) => {
            writeln!(text, "  CHECK for each check that is not still running")?;
        }
        Checks::Start => writeln!(text, "  CHECK for each check")?,
        Checks::Share => writeln!(text, "  CHECK for each check, once or twice")?,
        Checks::MayStart => writeln!(text, "  CHECK for each check, or none")?,
    }
    match step.response {
        Answer::Unread => writeln!(text, "  < not read")?,
        Answer::OkOrMaintenance => {
            write_answer(text, step, Answer::Ok, (setup, history), &request)?;
            writeln!(text, "  or")?;
            write_answer(text, step, Answer::Maintenance, (setup, history), &request)?;
        }
        answer => write_answer(text, step, answer, (setup, history), &request)?,
    }
    match step.response {
        Answer::OkOrRefused => writeln!(text, "  or 400, 414 or 431")?,
        Answer::NotFoundOrRefused => writeln!(text, "  or 400, 405 or 501")?,
        Answer::OkOrNothing => {
            writeln!(text, "  or the connection is closed before the first byte")?
        }
        _ => {}
    }
    match step.connection {
        Some(Fate::Closes) => writeln!(text, "  The server closes the connection.")?,
        Some(Fate::Stays) => writeln!(text, "  The connection stays open.")?,
        None => {}
    }
    match step.drain {
        Some(DrainEnd::Lasts) => writeln!(text, "  The drain has not ended.")?,
        Some(DrainEnd::Ends) => writeln!(text, "  DRAINED before the maximum")?,
        Some(DrainEnd::EndsAtMaximum) => writeln!(text, "  DEADLINE and DRAINED at the maximum")?,
        None => {}
    }
    if let Some(time) = step.after_poll {
        let time = time.as_millis();
        writeln!(text, "  The drain ends {time} ms after the last poll, or later.")?;
    }
    if step.warnings > 0 {
        writeln!(text, "  LOG WARN … the disablefile …")?;
    }
    Ok(())
}

/// Whether a check has to be running still, from a request before.
fn any_is_running(step: &Step) -> bool {
    let mut results = step.results.iter().flatten();
    results.any(|wanted| wanted.is_still_running().0)
}

/// How often and in what manner, where that is out of the ordinary.
fn manner(step: &Step) -> Option<String> {
    let times = step.times;
    let what = match step.client {
        Client::Alone if step.until => {
            return Some("Sent again until this response comes, for at most 10 s".to_owned());
        }
        Client::Alone => return (times > 1).then(|| format!("{times} times")),
        Client::Kept => "on a kept connection",
        Client::Pipelined => "pipelined on one connection",
        Client::Crowd => "each on a new connection, all before the first response is read",
        Client::ByteByByte => "one byte at a time",
        Client::Interrupted if step.waits() => "and started, before the commands take effect",
        Client::Interrupted => "with its checks started, before the command takes effect",
        Client::HalfClosed => "by a client that then closes its sending side",
        Client::Leaves => "by a client that disconnects",
        Client::Lingers => "by a client that stays connected and does not read",
        Client::Polls => "again and again until the drain has ended",
        Client::Toggling => {
            "while the disablefile is created and removed, and three other clients poll"
        }
    };
    Some(match times {
        1 => format!("Sent {what}"),
        times => format!("Sent {times} times, {what}"),
    })
}

fn write_answer(
    text: &mut String,
    step: &Step,
    answer: Answer,
    (setup, history): (&Setup, &History),
    request: &Request,
) -> fmt::Result {
    let endpoint = ExpectedEndpoint::at(setup, &step.target);
    let (status, word) = expected_answer(answer, &endpoint);
    let reason = step.reason.as_deref().unwrap_or("…");
    writeln!(text, "  < HTTP/1.1 {status} {reason}")?;
    if history.closes_connection(status) {
        writeln!(text, "  < connection: close")?;
    }
    if answer == Answer::Application {
        return writeln!(text, "  <\n  < {}", step.page().map_or("…", |page| page.body));
    }
    let Some(word) = word else {
        return writeln!(text, "  < … the server's own page");
    };
    let others = answer.state().and_then(|state| endpoint.shows(state));
    let others = others.into_iter().flat_map(|shown| shown.others);
    for (name, value) in expected_headers(word.len()).into_iter().chain(others) {
        writeln!(text, "  < {name}: {value}")?;
    }
    writeln!(text, "  <")?;
    if !request.is_head {
        writeln!(text, "  < {word}")?;
    }
    for answer in history.recorded(setup, step, &[answer]) {
        let record = expected_record(answer, history);
        let record = match record.strip_suffix("(RESULTS)") {
            Some(record) => format!("{record}({})", expected_results(step, setup, &history.past())),
            None => record,
        };
        writeln!(text, "  LOG {record}")?;
    }
    Ok(())
}
