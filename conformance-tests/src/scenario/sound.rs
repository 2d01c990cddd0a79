//! What makes a scenario one that shows something, and harms nobody.

use super::{Answer, Checks, Client, Scenario, Step};
use crate::capability::Capability;
use crate::given::{Check, Given};

/// A marker outside the fresh directory would put a real service into maintenance.
pub(super) fn check_markers(scenario: &Scenario) -> Result<(), String> {
    let disablefile = scenario.given.settings.get("healthcheck.disablefile");
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
            return Err(format!(
                "{what} needs a healthcheck.disablefile {needed} deep in {{dir}}"
            ));
        }
    }
    Ok(())
}

pub(super) fn check_step(step: &Step) -> Result<(), String> {
    if step.times == 0 {
        return Err("a step that is done 0 times shows nothing".to_owned());
    }
    let is_fitting = match step.client {
        Client::HalfClosed => step.answer == Answer::OkOrNothing,
        Client::Leaves | Client::Lingers => step.answer == Answer::Unread,
        Client::Toggling => step.answer == Answer::OkOrMaintenance,
        Client::Alone | Client::Kept | Client::Pipelined | Client::Crowd | Client::ByteByByte => {
            !matches!(
                step.answer,
                Answer::OkOrNothing | Answer::OkOrMaintenance | Answer::Unread
            )
        }
    };
    if !is_fitting {
        let (client, answer) = (step.client, step.answer);
        return Err(format!(
            "client {client:?} and answer {answer:?} do not go together"
        ));
    }
    if step.cut.is_some() && step.client != Client::Leaves {
        return Err("only a client that leaves can cut its request".to_owned());
    }
    let is_at_once = matches!(
        step.client,
        Client::Crowd | Client::Pipelined | Client::Leaves | Client::Lingers
    );
    if step.checks == Checks::Share && !is_at_once {
        return Err("only requests at the same time share a run".to_owned());
    }
    if step.until && (step.client != Client::Alone || step.times != 1) {
        return Err("only one client alone asks again until it is answered so".to_owned());
    }
    match step.meanwhile {
        Some(_) if !step.until => Err("there is no meanwhile without until".to_owned()),
        Some(Answer::Ok | Answer::Maintenance | Answer::Error) | None => Ok(()),
        Some(answer) => Err(format!(
            "meanwhile has to be one answer, and not {answer:?}"
        )),
    }
}

/// What a check does must be needed, and nothing else.
pub(super) fn check_needs(needs: &[Capability], given: &Given) -> Result<(), String> {
    let any = |is_so: fn(&Check) -> bool| given.checks.iter().any(is_so);
    for (capability, is_used, what) in [
        (Capability::Panic, any(Check::panics), "panics"),
        (
            Capability::Optional,
            any(|check| check.optional),
            "is optional",
        ),
        (
            Capability::Background,
            any(Check::is_in_background),
            "has a period",
        ),
        (
            Capability::Thresholds,
            any(Check::has_thresholds),
            "has thresholds",
        ),
    ] {
        if is_used != needs.contains(&capability) {
            let name = capability.to_string();
            return Err(format!(
                "it needs {name:?} if a check {what}, and only then"
            ));
        }
    }
    Ok(())
}

/// A check whose next execution would be due before its deadline is over may be refused.
pub(super) fn check_periods(given: &Given) -> Result<(), String> {
    let is_short = |check: &&Check| check.every.is_some_and(|every| every < check.deadline);
    match given.checks.iter().find(is_short) {
        Some(Check { name, .. }) => Err(format!(
            "the period of check {name:?} is shorter than its deadline"
        )),
        None => Ok(()),
    }
}

/// Starts in the background are told by their names from those that are counted.
pub(super) fn check_names(given: &Given) -> Result<(), String> {
    let (background, others): (Vec<_>, Vec<_>) = given
        .checks
        .iter()
        .partition(|check| check.is_in_background());
    let is_of_both = |name: &str| others.iter().any(|other| other.name == name);
    match background.iter().find(|check| is_of_both(&check.name)) {
        Some(Check { name, .. }) => Err(format!(
            "checks in the background and others have the name {name:?}"
        )),
        None => Ok(()),
    }
}

pub(super) fn check_results(step: &Step, given: &Given) -> Result<(), String> {
    let are_logged = matches!(step.answer, Answer::Error | Answer::Degraded);
    let Some(results) = &step.results else {
        return match given.checks.iter().find(|check| check.changes()) {
            Some(Check { name, .. }) if are_logged => Err(format!(
                "what check {name:?} reports depends on what went before: the step needs results"
            )),
            _ => Ok(()),
        };
    };
    if !are_logged {
        return Err("results are logged only of an error, or a degraded answer".to_owned());
    }
    if results.len() != given.checks.len() {
        let (results, checks) = (results.len(), given.checks.len());
        return Err(format!("{results} results for {checks} checks"));
    }
    Ok(())
}

/// How many names deep `path` lies in `{dir}`; `None` when it may lead out of it.
fn depth_in_fresh_directory(path: &str) -> Option<usize> {
    let names: Vec<_> = path.strip_prefix("{dir}/")?.split('/').collect();
    let is_name = |name: &&str| !["", ".", ".."].contains(name);
    names.iter().all(is_name).then_some(names.len())
}
