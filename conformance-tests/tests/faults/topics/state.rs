//! H17: states.

use health_conformance::{Command, Preset};

use super::endpoint::first_state;
use super::optional::failing_optional_hides_others;
use crate::fault::{faults, no_disablefile, other_wins, to};

faults! {
    /// Maintenance hides the drain.
    MaintenanceOverDraining: "state/draining-over-maintenance" =>
        other_wins(|_| {}, is_no_drain, ("DRAINING", "MAINTENANCE"));
    /// The start-up hides the drain.
    StartingOverDraining: "state/draining-over-starting" =>
        other_wins(|_| {}, is_no_drain, ("DRAINING", "STARTING"));
    /// The start-up hides maintenance.
    StartingOverMaintenance: "state/maintenance-over-starting" =>
        other_wins(no_disablefile, |_| true, ("MAINTENANCE", "STARTING"));
    /// A failing check beats the start-up.
    FailingOverStarting: "state/starting-over-failing" =>
        other_wins(|setup| setup.latches.clear(), |_| true, ("STARTING", "ERROR"));
    /// A failing check beats the drain.
    FailingOverDraining: "state/draining-over-failing" =>
        other_wins(|_| {}, is_no_drain, ("DRAINING", "ERROR"));
    /// What is optional and fails hides what is not.
    DegradedOverFailing: "state/failing-over-degraded" => failing_optional_hides_others();
    /// In the start-up checks run, and what they say is dropped.
    ChecksRunInStartUp: "state/starting-over-failing" =>
        other_wins(|setup| setup.latches.clear(), |_| true, ("STARTING", ""));
    /// In a drain checks run, and what they say is dropped.
    ChecksRunInDrain: "state/draining-over-failing" =>
        other_wins(|_| {}, is_no_drain, ("DRAINING", ""));
    /// An endpoint that ignores the gravest state is OK.
    IgnoredIsOk: "state/ignored-passes-on" => to(|answer, request, correct| {
        let preset = correct.further(request).map(|endpoint| endpoint.preset);
        let gravest = first_state(request, correct);
        if matches!(
            (preset, &*gravest),
            (Some(Preset::Liveness), "STARTING" | "MAINTENANCE" | "DRAINING")
                | (Some(Preset::Startup), "MAINTENANCE" | "DRAINING")
        ) {
            answer.turn_ok();
        }
    });
    /// The log contains the body instead of the state.
    LogSaysWhatTheBodySays: "state/log-names-the-state" => to(|answer, _, _| {
        for record in &mut answer.records {
            if matches!(record.state(), Some("STARTING" | "DRAINING")) {
                record.text = format!("Health response: {}", answer.body);
            }
        }
    });
}

pub(crate) fn is_no_drain(command: &Command) -> bool {
    !matches!(command, Command::Drain)
}
