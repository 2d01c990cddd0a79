//! Checks that a scenario can show something, and touches only its own files.

use std::collections::BTreeSet;

use super::{Answer, Checks, Client, DrainEnd, Scenario, Step, Wanted};
use crate::scenario::capability::Capability;
use crate::scenario::command::Command;
use crate::scenario::expected_endpoint::ExpectedEndpoint;
use crate::setup::{Check, Endpoint, LogPolicy, Setup};

/// A marker outside the fresh directory would put a real service into maintenance.
pub(super) fn check_markers(scenario: &Scenario) -> Result<(), String> {
    let disablefile = scenario.setup.settings.get("healthcheck.disablefile");
    let depth = disablefile.and_then(|path| depth_in_fresh_directory(path));
    let markers = scenario.steps.iter().filter_map(|step| step.marker);
    let deepest = markers.map(|marker| (marker.depth(), format!("marker {marker:?}")));
    let toggled = scenario
        .steps
        .iter()
        .filter(|step| step.client == Client::Toggling)
        .map(|_| (1, "a client that toggles".to_owned()));
    for (needed, what) in deepest.chain(toggled) {
        if depth.is_none_or(|depth| depth < needed) {
            return Err(format!("{what} needs a healthcheck.disablefile {needed} deep in {{dir}}"));
        }
    }
    Ok(())
}

pub(super) fn check_step(step: &Step) -> Result<(), String> {
    if step.times == 0 {
        return Err("a step with times = 0 tests nothing".to_owned());
    }
    let is_fitting = match step.client {
        Client::HalfClosed => step.response == Answer::OkOrNothing,
        Client::Leaves | Client::Lingers => step.response == Answer::Unread,
        Client::Toggling => step.response == Answer::OkOrMaintenance,
        Client::Polls => step.response == Answer::Draining && step.drain == Some(DrainEnd::Ends),
        Client::Alone
        | Client::Kept
        | Client::Pipelined
        | Client::Crowd
        | Client::ByteByByte
        | Client::Interrupted => {
            !matches!(step.response, Answer::OkOrNothing | Answer::OkOrMaintenance | Answer::Unread)
        }
    };
    if !is_fitting {
        let (client, answer) = (step.client, step.response);
        return Err(format!("client {client:?} and response {answer:?} cannot be combined"));
    }
    if step.cut.is_some() && step.client != Client::Leaves {
        return Err("cut needs client = \"leaves\"".to_owned());
    }
    let is_at_once =
        matches!(step.client, Client::Crowd | Client::Pipelined | Client::Leaves | Client::Lingers);
    if step.checks == Checks::Share && !is_at_once {
        return Err("checks = \"share\" needs concurrent requests".to_owned());
    }
    if step.until && (step.client != Client::Alone || step.times != 1) {
        return Err("until needs client = \"alone\"".to_owned());
    }
    if !step.commands.is_empty() && step.times != 1 {
        return Err("a step with commands needs times = 1".to_owned());
    }
    let is_rest = step.checks == Checks::Rest && !step.waits();
    if step.client == Client::Interrupted
        && (is_rest || step.commands.is_empty() || step.times != 1)
    {
        let needs = "a command, times = 1, and checks that run or a page that waits";
        return Err(format!("client = \"interrupted\" needs {needs}"));
    }
    let is_finished =
        step.client == Client::Interrupted && step.commands.contains(&Command::Finish);
    if step.waits() && step.response != Answer::Unread && !is_finished {
        return Err(format!("{} is read only if FINISH interrupts it", step.target));
    }
    if step.response == Answer::Application && step.page().is_none() {
        return Err(format!("the application has no page {}", step.target));
    }
    if step.after_poll.is_some() && step.drain != Some(DrainEnd::Ends) {
        return Err("after_poll needs drain = \"ends\"".to_owned());
    }
    match step.meanwhile {
        Some(_) if !step.until => Err("meanwhile needs until".to_owned()),
        Some(Answer::Ok | Answer::Degraded | Answer::Maintenance | Answer::Error) | None => Ok(()),
        Some(answer) => Err(format!("meanwhile cannot be {answer:?}")),
    }
}

/// `needs` must contain exactly the capabilities that the setup and the commands require.
pub(super) fn check_needs(scenario: &Scenario) -> Result<(), String> {
    let setup = &scenario.setup;
    let any = |is_so: fn(&Check) -> bool| setup.checks.iter().any(is_so);
    let told = |is_so: fn(&Command) -> bool| scenario.commands().any(is_so);
    let switches = told(|it| matches!(it, Command::SwitchOn | Command::SwitchOff));
    for (capability, is_used, what) in [
        (Capability::Panic, any(Check::panics), "a check panics"),
        (Capability::Optional, any(|check| check.optional), "a check is optional"),
        (Capability::Background, any(Check::is_in_background), "a check has a period"),
        (Capability::Thresholds, any(Check::has_thresholds), "a check has thresholds"),
        (Capability::SharedDependencies, any(|check| check.shared), "a check is shared"),
        (Capability::Peers, any(Check::is_of_peers), "a check exchanges views with peers"),
        (
            Capability::RichResults,
            any(Check::is_rich),
            "a check is degraded, or has a reason or values",
        ),
        (Capability::SlowChecks, setup.slow_percent.is_some(), "there is a slow_percent"),
        (Capability::Endpoints, !setup.endpoints.is_empty(), "there are several endpoints"),
        (
            Capability::RecoveryDelay,
            setup.endpoints.iter().any(|it| it.recovery_delay.is_some()),
            "an endpoint delays its return",
        ),
        (
            Capability::Details,
            setup.endpoints.iter().any(Endpoint::has_details),
            "an endpoint has details",
        ),
        (
            Capability::CheckPaths,
            setup.endpoints.iter().any(|it| it.check_paths),
            "the checks of an endpoint have paths",
        ),
        (Capability::StartUp, !setup.latches.is_empty(), "there is a latch"),
        (Capability::Switch, switches, "SWITCH is a command"),
        (Capability::Drain, told(|it| *it == Command::Drain), "DRAIN is a command"),
        (
            Capability::Application,
            scenario.steps.iter().any(|step| step.page().is_some()),
            "a page of the application is requested",
        ),
        (Capability::DrainEnd, setup.drain.is_some(), "the setup has the time of a drain"),
        (Capability::LogPolicy, setup.log == LogPolicy::Change, "only changes are logged"),
    ] {
        if is_used != scenario.needs.contains(&capability) {
            let name = capability.to_string();
            return Err(format!("needs must contain {name:?} if and only if {what}"));
        }
    }
    Ok(())
}

/// Each path is one endpoint's, and each check or tag that an endpoint names is there.
pub(super) fn check_endpoints(setup: &Setup) -> Result<(), String> {
    let mut paths = BTreeSet::from([setup.url()]);
    for Endpoint { path, checks, tags, .. } in &setup.endpoints {
        if !paths.insert(path) {
            return Err(format!("two endpoints have the path {path:?}"));
        }
        let is_there = |name: &&String| setup.checks.iter().any(|check| check.name == **name);
        if let Some(name) = checks.iter().flatten().find(|name| !is_there(name)) {
            return Err(format!("endpoint {path:?} names {name:?}, but there is no such check"));
        }
        let is_used = |tag: &&String| setup.checks.iter().any(|check| check.tags.contains(tag));
        if let Some(tag) = tags.iter().find(|tag| !is_used(tag)) {
            return Err(format!("endpoint {path:?} has the tag {tag:?}, but no check has it"));
        }
    }
    Ok(())
}

/// A latch is released, dropped or failed once, if it is there.
pub(super) fn check_latches(scenario: &Scenario) -> Result<(), String> {
    let mut held: Vec<&String> = scenario.setup.latches.iter().collect();
    for command in scenario.commands() {
        if let Command::Release(name) | Command::Drop(name) | Command::Fail(name, _) = command {
            let before = held.len();
            held.retain(|latch| *latch != name);
            if held.len() == before {
                return Err(format!("{command}: no latch {name:?} is held at this step"));
            }
        }
    }
    Ok(())
}

/// The end of a drain needs one that has begun.
pub(super) fn check_drain(scenario: &Scenario) -> Result<(), String> {
    let (mut has_begun, mut has_polled) = (false, false);
    for step in &scenario.steps {
        // It would be unknown if the drain could end before its first poll.
        if step.client == Client::Polls && !has_polled {
            return Err("client = \"polls\" needs a poll before".to_owned());
        }
        has_polled |= step.response.state().is_some();
        has_begun |= step.commands.contains(&Command::Drain);
        if step.drain.is_some() && (!has_begun || scenario.setup.drain.is_none()) {
            return Err("drain needs the command DRAIN before, and a setup with drain".to_owned());
        }
    }
    Ok(())
}

/// Peers are told what to say if there are any, and only in the background.
pub(super) fn check_peers(scenario: &Scenario) -> Result<(), String> {
    let mut of_peers = scenario.setup.checks.iter().filter(|check| check.is_of_peers());
    let is_told = |it: &Command| {
        matches!(it, Command::Peers(..) | Command::PeersNone(_) | Command::PeersFail(_))
    };
    match (of_peers.next(), of_peers.next()) {
        (None, _) => match scenario.commands().find(|command| is_told(command)) {
            Some(command) => Err(format!("{command}: no check exchanges views with peers")),
            None => Ok(()),
        },
        (Some(_), Some(second)) => {
            Err(format!("{:?} is a second check that exchanges views with peers", second.name))
        }
        (Some(check), None) if !check.is_in_background() || !check.optional => Err(format!(
            "{:?} exchanges views with peers: it needs a period, and optional",
            check.name
        )),
        (Some(_), None) => Ok(()),
    }
}

/// A check whose next execution would be due before its timeout has expired may be refused.
pub(super) fn check_periods(setup: &Setup) -> Result<(), String> {
    let is_short = |check: &&Check| check.every.is_some_and(|every| every < check.timeout);
    match setup.checks.iter().find(is_short) {
        Some(Check { name, .. }) => {
            Err(format!("the period of check {name:?} is shorter than its timeout"))
        }
        None => Ok(()),
    }
}

/// Starts of background checks are recognized by name, so their names must be unique.
pub(super) fn check_names(setup: &Setup) -> Result<(), String> {
    let (background, others): (Vec<_>, Vec<_>) =
        setup.checks.iter().partition(|check| check.is_in_background());
    let is_of_both = |name: &str| others.iter().any(|other| other.name == name);
    match background.iter().find(|check| is_of_both(&check.name)) {
        Some(Check { name, .. }) => {
            Err(format!("a background check and another check have the name {name:?}"))
        }
        None => Ok(()),
    }
}

/// A check that is degraded, or fails with a reason or values, needs a message (H23).
pub(super) fn check_messages(setup: &Setup) -> Result<(), String> {
    let lacks_message = |check: &&Check| {
        check.executions().any(|it| {
            let is_ok = it.status == "OK" && !it.degraded;
            it.is_rich() && !is_ok && it.message.is_none()
        })
    };
    match setup.checks.iter().find(lacks_message) {
        Some(Check { name, .. }) => {
            Err(format!("check {name:?} is not OK and rich: it needs a message"))
        }
        None => Ok(()),
    }
}

/// An endpoint has to show the state, and in the format.
pub(super) fn check_answer(step: &Step, setup: &Setup) -> Result<(), String> {
    let endpoint = ExpectedEndpoint::at(setup, &step.target);
    if step.format.is_some() && (!endpoint.has_details() || step.response.state().is_none()) {
        let target = &step.target;
        return Err(format!("{target} responds in a format only if its endpoint has details"));
    }
    if step.level.is_some() && step.format.is_none() {
        return Err("level needs format".to_owned());
    }
    for answer in [Some(step.response), step.meanwhile].into_iter().flatten() {
        let state = answer.state();
        if state.is_some_and(|state| endpoint.shows(state).is_none()) {
            let target = &step.target;
            return Err(format!("the endpoint at {target} ignores {answer:?}"));
        }
    }
    Ok(())
}

pub(super) fn check_results(step: &Step, setup: &Setup) -> Result<(), String> {
    let checks = ExpectedEndpoint::at(setup, &step.target).checks();
    let are_logged = matches!(step.response, Answer::Error | Answer::Degraded);
    let Some(results) = &step.results else {
        return match checks.iter().find(|check| check.changes()) {
            Some(Check { name, .. }) if are_logged => Err(format!(
                "the result of check {name:?} depends on earlier steps: the step needs results"
            )),
            _ => Ok(()),
        };
    };
    if !are_logged {
        return Err("results are logged only for error and degraded".to_owned());
    }
    let is_delayed = results.last().is_some_and(|wanted| wanted.is_delay());
    let others = &results[..results.len() - usize::from(is_delayed)];
    if others.len() != checks.len() {
        let (results, checks) = (others.len(), checks.len());
        return Err(format!("{results} results for {checks} checks"));
    }
    if others.iter().any(Wanted::is_delay) || (is_delayed && step.response != Answer::Error) {
        return Err("DELAYED is the last result of an error".to_owned());
    }
    Ok(())
}

/// How many names deep `path` lies in `{dir}`; `None` when it may lead out of it.
fn depth_in_fresh_directory(path: &str) -> Option<usize> {
    let names: Vec<_> = path.strip_prefix("{dir}/")?.split('/').collect();
    let is_name = |name: &&str| !["", ".", ".."].contains(name);
    names.iter().all(is_name).then_some(names.len())
}
