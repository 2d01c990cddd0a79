//! H3 and H4: health and maintenance.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crate::correct::{Answer, Correct, Record};
use crate::fault::{
    Decoration, Memory, answer, exchange, faults, no_disablefile, other_wins, records, setup, to,
};

faults! {
    /// From the tenth request on, the response is 500.
    WearsOut: "healthy/again-and-again" => {
        let answered = AtomicUsize::new(0);
        to(move |answer, _, _| {
            if answered.fetch_add(1, Relaxed) >= 9 {
                *answer = Answer::page(500, "worn out");
            }
        })
    };
    /// After an error, the next plain response is an error too.
    ErrorSticks: "healthy/after-an-error", "setting/defaults" => {
        let has_erred = AtomicBool::new(false);
        to(move |answer, request, _| {
            if has_erred.swap(answer.is("ERROR"), Relaxed) && !request.asks() {
                *answer = Answer::page(500, "an error");
            }
        })
    };
    /// A plain request runs the checks, and hides what they say.
    PlainRunsChecks: "healthy/plain-request-with-failing-check" => exchange(|request, correct| {
        if !request.asks() {
            correct.answer(&request.asking());
        }
        Ok(correct.answer(request))
    });
    /// There is no maintenance.
    MaintenanceIgnored: "maintenance/file" => setup(no_disablefile);
    /// The code is 299, whatever the setting.
    MaintenanceCodeIgnored: "maintenance/configured-code" =>
        setup(|setup| drop(setup.settings.remove("healthcheck.maintenance_code")));
    /// In maintenance the body is OK.
    MaintenanceSaysOk: "maintenance/file" => answer(|answer| {
        if answer.is("MAINTENANCE") {
            answer.set_body("OK");
        }
    });
    /// With a maintenance code of 404 the response is the page for unknown paths.
    NotFoundPageInMaintenance: "maintenance/not-found-as-code" => answer(|answer| {
        if answer.is("MAINTENANCE") && answer.status == 404 {
            *answer = Answer::page(404, "Not Found");
        }
    });
    /// With a maintenance code of 200 the body is OK.
    MaintenanceCode200IsHealth: "maintenance/ok-as-code" => answer(|answer| {
        if answer.is("MAINTENANCE") && answer.status == 200 {
            answer.set_body("OK");
        }
    });
    /// A 3xx code comes with a Location.
    RedirectHasLocation: "maintenance/redirect-as-code" => answer(|answer| {
        if (300..400).contains(&answer.status) {
            answer.set("location", "/maintenance");
        }
    });
    /// Only a regular file is a marker.
    MarkerMustBeAFile: "maintenance/directory", "maintenance/device", "maintenance/device-itself" =>
        unless_marked(Path::is_file);
    /// A link is no marker.
    MarkerMayBeNoLink: "maintenance/link" => unless_marked(|path| !path.is_symlink());
    /// The marker is opened, not looked for.
    MarkerIsOpened: "maintenance/fifo" => unless_marked(|path| File::open(path).is_ok());
    /// Links are not followed.
    LinksNotFollowed: "maintenance/dangling-link", "maintenance/error-while-a-check-fails" =>
        also_marked(|path| path.symlink_metadata().is_ok());
    /// The state is looked up once.
    StateCached: "maintenance/seen-at-once" => {
        let first = Memory::<Option<Answer>>::default();
        to(move |answer, _, _| *answer = first.lock().get_or_insert_with(|| answer.clone()).clone())
    };
    /// The state is that of the request before.
    StateIsOld: "maintenance/seen-at-once" => {
        let last = Memory::<Option<Answer>>::default();
        to(move |answer, _, _| {
            let now = answer.clone();
            if let Some(last) = last.lock().replace(now) {
                *answer = last;
            }
        })
    };
    /// Status and body are looked up one after the other.
    StateLookedUpTwice: "wire/toggled-under-load" =>
        to(|answer, request, correct| answer.set_body(&correct.answer(request).body));
    /// The state belongs to the connection.
    StateOfTheConnection: "wire/kept-connection-has-no-memory", "wire/head-then-get" => {
        let first = Memory::<BTreeMap<usize, Answer>>::default();
        to(move |answer, request, _| {
            let mut first = first.lock();
            let first = first.entry(request.connection).or_insert_with(|| answer.clone());
            *answer = first.clone();
        })
    };
    /// A stat that fails is maintenance.
    StatErrorIsMaintenance: "maintenance/link-loop", "maintenance/locked-parent" =>
        also_marked(stat_fails);
    /// A stat that fails is not logged.
    StatErrorNotLogged: "maintenance/link-loop" =>
        records(|records| records.retain(|record| record.state().is_some()));
    /// A stat that fails is logged every time.
    StatErrorLoggedEveryTime: "maintenance/file-as-parent", "maintenance/name-too-long" =>
        to(|answer, _, correct| {
        if stat_fails(&disablefile(correct)) {
            warn_again(answer, correct);
        }
    });
    /// A stat that fails is logged once, ever.
    EpisodeNeverEnds: "maintenance/episode-ends-with-a-marker" => {
        let is_told = AtomicBool::new(false);
        records(move |records| {
            records.retain(|record| record.state().is_some() || !is_told.swap(true, Relaxed));
        })
    };
    /// A directory that is missing is logged.
    MissingDirectoryLogged: "maintenance/missing-parent" => to(|answer, _, correct| {
        let path = disablefile(correct);
        if path.parent().is_some_and(|parent| !parent.exists()) {
            warn_again(answer, correct);
        }
    });
    /// An empty disablefile is the working directory.
    EmptyDisablefileExists: "maintenance/off" => setup(|setup| {
        if let Some(path) = setup.settings.get_mut(DISABLEFILE).filter(|path| path.is_empty()) {
            "/".clone_into(path);
        }
    });
    /// In maintenance, checks run, and what they say is dropped.
    ChecksRunInMaintenance: "maintenance/beats-passing-check", "maintenance/seen-between-checks" =>
        other_wins(no_disablefile, |_| false, ("MAINTENANCE", ""));
    /// A failing check beats maintenance.
    FailureBeatsMaintenance: "maintenance/beats-failing-check", "method/get" =>
        other_wins(no_disablefile, |_| false, ("MAINTENANCE", "ERROR"));
}

const DISABLEFILE: &str = "healthcheck.disablefile";

pub(crate) fn disablefile(correct: &Correct) -> std::path::PathBuf {
    correct.setting("disablefile").unwrap_or("/tmp/maintenance").into()
}

/// There is no maintenance unless this is true of the path.
fn unless_marked(is_marked: fn(&Path) -> bool) -> Decoration {
    to(move |answer, _, correct| {
        if answer.is("MAINTENANCE") && !is_marked(&disablefile(correct)) {
            answer.turn_ok();
        }
    })
}

/// It is maintenance, too, where this is true of the path.
fn also_marked(is_marked: fn(&Path) -> bool) -> Decoration {
    to(move |answer, _, correct| {
        if !answer.is("MAINTENANCE") && is_marked(&disablefile(correct)) {
            answer.turn(299, "MAINTENANCE");
            answer.log("INFO", "Health response: MAINTENANCE");
        }
    })
}

fn stat_fails(path: &Path) -> bool {
    matches!(path.metadata(), Err(error) if error.kind() != ErrorKind::NotFound)
}

/// One warning, whether there is one or not.
fn warn_again(answer: &mut Answer, correct: &Correct) {
    if answer.records.iter().all(|record| record.state().is_some()) {
        let path = disablefile(correct);
        let text = format!("cannot stat {}", path.display());
        answer.records.push(Record::new("WARN", text));
    }
}
