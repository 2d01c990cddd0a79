//! A health endpoint written from the contract, with room for one fault.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use health_conformance::{Behaviour, Check, Command, Journal, Line, Setup};
use health_core::{ConfigRule, HealthConfig, path_and_query};

use crate::checks::Checks;
use crate::fault::Fault;
use crate::http::Request;
use crate::query::asks_for_checks;
use crate::state::{Found, State, Told};
use crate::view::View;

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn page(status: u16, reason: &str) -> Self {
        let body = format!("the page for {status}");
        Self {
            status,
            reason: reason.to_owned(),
            headers: vec![("content-length".to_owned(), body.len().to_string())],
            body,
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.headers.retain(|(header, _)| header != name);
    }
}

/// What a server remembers from request to request: only with a fault, but for the episode of H4.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    stat_fails: bool,
    requests: usize,
    runs: usize,
    last_state: Option<bool>,
    has_erred: bool,
    has_panicked: bool,
    is_poisoned: bool,
    pub(crate) has_logged_maintenance: bool,
    results: Vec<Check>,
    /// The state of each endpoint that was last logged, and with which results.
    pub(crate) logged: BTreeMap<String, (State, String)>,
}

pub(crate) struct Endpoint {
    pub(crate) fault: Option<Fault>,
    pub(crate) setup: Setup,
    settings: BTreeMap<String, String>,
    checks: Vec<Check>,
    pub(crate) told: Told,
    pub(crate) runs: Arc<Checks>,
    journal: Journal,
    memory: Mutex<Memory>,
}

impl Endpoint {
    /// # Errors
    ///
    /// A setting that H11 refuses.
    pub(crate) fn new(
        fault: Option<Fault>,
        setup: &Setup,
        journal: &Journal,
    ) -> Result<Self, String> {
        let endpoint = Self {
            fault,
            setup: setup.clone(),
            settings: setup.settings.clone(),
            checks: setup.checks.clone(),
            told: Told::new(fault, setup),
            runs: Checks::new(fault, &setup.checks, journal),
            journal: journal.clone(),
            memory: Mutex::default(),
        };
        if let Err(refused) = endpoint.check_settings() {
            endpoint.runs.clock().end();
            return Err(refused);
        }
        if endpoint.is_exposed() && !endpoint.has(Fault::ExposureNotSaid) {
            let path = endpoint.disablefile();
            endpoint.log("WARN", &format!("anyone can create {path}"));
        }
        Ok(endpoint)
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    pub(crate) fn apply(&self, command: &Command) {
        self.told.apply(command);
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self, level: &str, text: &str) {
        let (level, text) = (level.to_owned(), text.to_owned());
        self.journal.record(Line::Log { level, text });
    }

    // H11

    fn check_settings(&self) -> Result<(), String> {
        let refuse = |key: &str, why: &str| {
            let value = self.settings.get(key).map_or("", String::as_str);
            Err(format!("{key} = {value:?}: {why}"))
        };
        let url = self.setting("url", "/health");
        let codes = ["maintenance_code", "failure_code"].map(|key| self.setting(key, "299"));
        let is_set = |key: &str| self.settings.contains_key(key);
        match self.fault {
            Some(Fault::SettingsUnchecked) => return Ok(()),
            Some(Fault::OtherPrefixRefused) => {
                let is_other = |key: &&String| !key.starts_with("healthcheck.");
                if let Some(key) = self.settings.keys().find(is_other) {
                    return refuse(key, "this setting is not known");
                }
            }
            Some(Fault::CodesEndAt499) if codes.contains(&"599") => {
                return refuse("healthcheck.failure_code", "codes end at 499");
            }
            Some(Fault::PunctuationRefused) if url.contains(['-', '.', '~']) => {
                return refuse("healthcheck.url", "letters and slashes only");
            }
            Some(Fault::TrailingSlashRefused) if url.len() > 1 && url.ends_with('/') => {
                return refuse("healthcheck.url", "it may not end so");
            }
            Some(Fault::RootRefused) if url == "/" => {
                return refuse("healthcheck.url", "it may not be the root");
            }
            Some(Fault::BothCodesRefused)
                if is_set("healthcheck.maintenance_code") && is_set("healthcheck.failure_code") =>
            {
                return refuse("healthcheck.failure_code", "one code is enough");
            }
            Some(Fault::DefaultsRefused) if self.settings.is_empty() => {
                return refuse("healthcheck.url", "this setting is missing");
            }
            _ => {}
        }
        let Err(error) = HealthConfig::from_pairs(&self.settings) else {
            return Ok(());
        };
        let (key, value) = (error.key(), error.value());
        match self.fault {
            Some(Fault::UnknownSettingIgnored) if error.rule() == &ConfigRule::UnknownSetting => {
                Ok(())
            }
            Some(Fault::KeyNotNamed) => {
                Err(format!("a setting is {value:?}, which is out of range"))
            }
            Some(Fault::ValueNotQuoted) => Err(format!("{key} is out of its range")),
            Some(Fault::RuleNotSaid) => Err(format!("{key} = {value:?}")),
            _ => Err(error.to_string()),
        }
    }

    fn setting<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        let value = self.settings.get(&format!("healthcheck.{key}"));
        value.map_or(default, String::as_str)
    }

    fn code(&self, key: &str, default: u16) -> u16 {
        self.setting(key, "").parse().unwrap_or(default)
    }

    pub(crate) fn disablefile(&self) -> &str {
        let default = match self.has(Fault::NoDefaultDisablefile) {
            true => "",
            false => "/tmp/maintenance",
        };
        self.setting("disablefile", default)
    }

    fn is_exposed(&self) -> bool {
        use std::os::unix::fs::PermissionsExt as _;

        let parent = Path::new(self.disablefile()).parent();
        let stat = parent.and_then(|parent| fs::metadata(parent).ok());
        stat.is_some_and(|stat| stat.permissions().mode() & 0o002 != 0)
    }

    // H1, H2

    /// The answer to a request, or none where the connection ends without one.
    /// `is_first` says whether it is the first on its connection.
    pub(crate) fn answer(&self, request: &Request, form: &str, is_first: bool) -> Option<Answer> {
        let (path, query) = match self.fault {
            Some(Fault::AbsoluteFormUnknown) => request
                .target
                .split_once('?')
                .unwrap_or((&request.target, "")),
            Some(Fault::QueryBelongsToPath) => (&*request.target, ""),
            Some(Fault::AbsoluteFormNeedsPath) if request.target.matches('/').count() == 2 => {
                return Some(Answer::page(404, "Not Found"));
            }
            Some(Fault::PathlessEndsConnection)
                if !path_and_query(&request.target).0.starts_with("/h") =>
            {
                return None;
            }
            Some(Fault::PathlessIsRoot) if !request.target.contains('/') => ("/", ""),
            _ => path_and_query(&request.target),
        };
        let is_head = request.method == "HEAD";
        let Some(view) = self.view(path) else {
            return Some(Answer::page(404, "Not Found"));
        };
        let usual = [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
        ];
        let agent = request.header("user-agent").unwrap_or_default();
        let host = request.header("host").unwrap_or("localhost");
        match self.fault {
            Some(Fault::GetOnly) if !["GET", "HEAD"].contains(&&*request.method) => {
                return Some(Answer::page(405, "Method Not Allowed"));
            }
            Some(Fault::FurtherGetOnly) if view.is_further() && request.method != "GET" => {
                return Some(Answer::page(405, "Method Not Allowed"));
            }
            Some(Fault::OptionsHasItsOwnAnswer) if request.method == "OPTIONS" => {
                return Some(Answer::page(204, "No Content"));
            }
            Some(Fault::TraceEchoes) if request.method == "TRACE" => {
                return Some(Answer::page(200, "OK"));
            }
            Some(Fault::UnknownMethodsRefused) if !usual.contains(&&*request.method) => {
                return Some(Answer::page(501, "Not Implemented"));
            }
            _ if request.method == "CONNECT" && !self.has(Fault::ConnectAnswered) => {
                return Some(Answer::page(405, "Method Not Allowed"));
            }
            Some(Fault::Http10NeedsLength)
                if request.version == "HTTP/1.0"
                    && ["POST", "PUT", "PATCH"].contains(&&*request.method)
                    && request.header("content-length").is_none() =>
            {
                return Some(Answer::page(400, "Bad Request"));
            }
            Some(Fault::PollersFiltered) if agent.contains("HealthChecker") => {
                return Some(Answer::page(403, "Forbidden"));
            }
            Some(Fault::HostChecked) if !host.is_empty() && host != "localhost" => {
                return Some(Answer::page(421, "Misdirected Request"));
            }
            Some(Fault::HostDemanded)
                if (request.version == "HTTP/1.1") && request.header("host").is_none() =>
            {
                return None;
            }
            Some(Fault::Http10Refused) if request.version != "HTTP/1.1" => {
                return Some(Answer::page(505, "HTTP Version Not Supported"));
            }
            Some(Fault::ConditionsHonoured) if request.header("if-none-match").is_some() => {
                return Some(Answer::page(304, "Not Modified"));
            }
            Some(Fault::LongQueryRefused) if query.len() > 4096 => {
                return Some(Answer::page(414, "URI Too Long"));
            }
            _ => {}
        }
        let query = match form {
            "" => query.to_owned(),
            form => format!("{query}&{form}"),
        };
        let is_quiet = !is_first && self.has(Fault::PipelineLoggedOnce);
        let mut answer = self.decide(view, &query, is_head, is_quiet)?;
        if is_head {
            match self.fault {
                Some(Fault::HeadWithLengthZero) => answer.set("content-length", "0"),
                Some(Fault::HeadWithoutLength) => answer.unset("content-length"),
                Some(Fault::HeadWithoutNoStore) => answer.unset("cache-control"),
                _ => {}
            }
            if !self.has(Fault::HeadWithBody) {
                answer.body.clear();
            }
        }
        Some(answer)
    }

    fn view(&self, path: &str) -> Option<View<'_>> {
        match self.serves(path) {
            true => Some(View::first(self.fault, &self.setup)),
            false => View::further(self.fault, &self.setup, path),
        }
    }

    fn serves(&self, path: &str) -> bool {
        let url = self.setting("url", "/health");
        match self.fault {
            Some(Fault::PathIsAPrefix) => path.starts_with(url),
            Some(Fault::PathInAnyCase) => path.eq_ignore_ascii_case(url),
            Some(Fault::TrailingSlashAccepted) => {
                path == url || path.strip_suffix('/') == Some(url)
            }
            Some(Fault::SlashesMerged) => path.replace("//", "/") == url,
            Some(Fault::DotSegmentsResolved) => {
                path.replace("/./", "/").replace("/x/../", "/") == url
            }
            Some(Fault::MatrixParametersCut) => path.split(';').next() == Some(url),
            Some(Fault::EveryPathAnswered) => true,
            Some(Fault::UrlSettingIgnored) => path == "/health",
            _ => path == url,
        }
    }

    // H3 to H7, H12, H16 to H20

    fn decide(&self, view: View<'_>, query: &str, is_head: bool, is_quiet: bool) -> Option<Answer> {
        let requests = {
            let mut memory = self.memory();
            memory.requests += 1;
            memory.requests
        };
        if self.has(Fault::WearsOut) && requests > 20 {
            return Some(Answer::page(500, "Internal Server Error"));
        }
        let asks = asks_for_checks(query, self.fault).ok();
        let Some(mut asks) = asks else {
            return Some(Answer::page(500, "Internal Server Error"));
        };
        asks = view.runs_checks(asks, query);
        if self.has(Fault::HeadRunsNoChecks) && is_head {
            asks = false;
        }
        if asks && self.has(Fault::EverySecondRuns) {
            let mut memory = self.memory();
            memory.runs += 1;
            asks = memory.runs % 2 == 1;
        }
        let has_panicking = self
            .checks
            .iter()
            .any(|check| matches!(check.behaviour, Behaviour::Panic(_)));
        let found = self.told.found(view, || self.is_in_maintenance());
        let holds = found.as_ref().map(|found| found.state);
        let in_maintenance = holds == Some(State::Maintenance);
        let waits = match self.fault {
            Some(Fault::PlainWaitsForRuns) => !asks && !in_maintenance,
            Some(Fault::MaintenanceWaitsForRuns) => in_maintenance,
            Some(Fault::DrainWaitsForRuns) => holds == Some(State::Draining),
            _ => false,
        };
        let clock = self.runs.clock();
        clock.wait_while(|| waits && self.runs.are_under_way());
        let is_held_up = !asks && self.has(Fault::BlockingBlocksServer);
        clock.wait_while(|| is_held_up && self.runs.block_a_thread());
        let mut has_joined = false;
        let mut run = || {
            let (results, joined) = self.run(view)?;
            has_joined = joined;
            Some(results)
        };
        if in_maintenance && has_panicking && self.has(Fault::PanicInMaintenance) {
            return None;
        }
        let (state, results) = if let Some(found) = found {
            self.held(found, asks, &mut run)?
        } else if asks {
            let (state, results) = self.judge(run()?);
            if state == State::Ok && self.has(Fault::PassingChecksEndDrain) {
                self.told.end_drain();
            }
            match view.shows(State::Draining) && self.told.is_draining() {
                true => (State::Draining, Vec::new()),
                false => (state, results),
            }
        } else if self.has(Fault::PlainRunsChecks) {
            run()?;
            (State::Ok, Vec::new())
        } else if self.has(Fault::PlainTellsBackground) && self.runs.fail_in_background() {
            (State::Failing, Vec::new())
        } else if self.has(Fault::PlainPanics) && has_panicking {
            return None;
        } else {
            (State::Ok, Vec::new())
        };
        let mut memory = self.memory();
        let sticks = (memory.has_erred && !asks && self.has(Fault::ErrorSticks))
            || (memory.has_panicked && self.has(Fault::PanicSticks))
            || memory.is_poisoned;
        memory.has_erred = state == State::Failing;
        drop(memory);
        if sticks {
            return Some(Answer::page(500, "Internal Server Error"));
        }
        let is_shared = has_joined && self.has(Fault::SharedRunLoggedOnce);
        if !is_quiet && !is_shared {
            self.record(view, state, &results, asks, is_head);
        }
        let mut answer = self.response(view, state, &results);
        if self.has(Fault::StateLookedUpTwice) {
            let body = match (state, self.is_in_maintenance()) {
                (State::Ok, true) => "MAINTENANCE",
                (State::Maintenance, false) => "OK",
                _ => &answer.body,
            }
            .to_owned();
            answer.set("content-length", &body.len().to_string());
            answer.body = body;
        }
        Some(answer)
    }

    /// What is answered where something holds whatever the checks say. Only with a fault they run, and may beat it.
    fn held(
        &self,
        Found { state, results }: Found,
        asks: bool,
        run: &mut dyn FnMut() -> Option<Vec<Check>>,
    ) -> Option<(State, Vec<Check>)> {
        let beating: Option<&[State]> = match (state, self.fault) {
            (State::Maintenance, Some(Fault::ChecksRunInMaintenance))
            | (State::Starting, Some(Fault::ChecksRunInStartUp))
            | (State::Draining, Some(Fault::ChecksRunInDrain))
            | (State::Failing, Some(Fault::ChecksRunWithDropped)) => Some(&[]),
            (State::Maintenance, Some(Fault::DegradedInMaintenance)) => Some(&[State::Degraded]),
            (State::Maintenance, Some(Fault::FailureBeatsMaintenance))
            | (State::Starting, Some(Fault::FailingOverStarting))
            | (State::Draining, Some(Fault::FailingOverDraining)) => Some(&[State::Failing]),
            (State::Maintenance, Some(Fault::SwitchRunsChecks)) if self.told.is_switched() => {
                Some(&[State::Ok, State::Degraded, State::Failing])
            }
            _ => None,
        };
        if let (true, Some(beating)) = (asks, beating) {
            let (judged, reported) = self.judge(run()?);
            if beating.contains(&judged) {
                return Some((judged, reported));
            }
        }
        match self.fault {
            Some(Fault::DroppedNeedsAQuery) if state == State::Failing && !asks => {
                Some((State::Ok, Vec::new()))
            }
            _ => Some((state, results)),
        }
    }

    fn is_in_maintenance(&self) -> bool {
        let mut memory = self.memory();
        if let (Some(Fault::StateCached), Some(state)) = (self.fault, memory.last_state) {
            return state;
        }
        let state = self.stat(&mut memory);
        let last = memory.last_state.replace(state);
        match self.fault {
            Some(Fault::StateIsOld) => last.unwrap_or(state),
            _ => state,
        }
    }

    fn stat(&self, memory: &mut Memory) -> bool {
        let path = match self.disablefile() {
            "" if self.has(Fault::EmptyDisablefileExists) => Path::new("."),
            "" => return false,
            path => Path::new(path),
        };
        let found = match self.fault {
            Some(Fault::MaintenanceIgnored) => return false,
            Some(Fault::MarkerIsOpened) => fs::File::open(path).map(|_| true),
            Some(Fault::LinksNotFollowed) => fs::symlink_metadata(path).map(|_| true),
            Some(Fault::MarkerMustBeAFile) => fs::metadata(path).map(|stat| stat.is_file()),
            _ => fs::metadata(path).map(|_| true),
        };
        let error = match found {
            Ok(is_found) => {
                memory.stat_fails &= self.has(Fault::EpisodeNeverEnds);
                return is_found;
            }
            Err(error) => error,
        };
        let has_directory = path.parent().is_some_and(Path::exists);
        let is_absent = error.kind() == ErrorKind::NotFound
            && (has_directory || !self.has(Fault::MissingDirectoryLogged));
        if is_absent {
            memory.stat_fails &= self.has(Fault::EpisodeNeverEnds);
            return false;
        }
        let is_news = !memory.stat_fails || self.has(Fault::StatErrorLoggedEveryTime);
        let is_nul = self.disablefile().contains('\0') && self.has(Fault::NulFails);
        if is_news && !is_nul && !self.has(Fault::StatErrorNotLogged) {
            self.log("WARN", &format!("cannot stat {}: {error}", path.display()));
        }
        memory.stat_fails = true;
        self.has(Fault::StatErrorIsMaintenance)
    }

    /// A client has left while its checks ran.
    pub(crate) fn poison(&self) {
        self.memory().is_poisoned = true;
    }

    /// What the checks reported, and whether others had asked before; none where the connection ends.
    fn run(&self, view: View<'_>) -> Option<(Vec<Check>, bool)> {
        let alone = view.is_further()
            && matches!(
                self.fault,
                Some(Fault::FurtherRunAlone | Fault::FurtherRunBackground)
            );
        if self.has(Fault::FailuresCountApart) {
            self.runs.forget_failures(view.path());
        }
        let (mut results, has_joined) = self.runs.run(view.checks(), alone)?;
        let is_panic = |check: &Check| matches!(check.behaviour, Behaviour::Panic(_));
        let mut memory = self.memory();
        memory.has_panicked |= self.checks.iter().any(is_panic);
        if self.has(Fault::ResultsPileUp) {
            memory.results.append(&mut results);
            results.clone_from(&memory.results);
        }
        Some((results, has_joined))
    }

    fn judge(&self, mut results: Vec<Check>) -> (State, Vec<Check>) {
        let passes = |check: &Check| {
            let status = check.status.as_str();
            status == "OK"
                || match self.fault {
                    Some(Fault::StatusInAnyCase) => status.eq_ignore_ascii_case("OK"),
                    Some(Fault::StatusTrimmed) => status.trim() == "OK",
                    Some(Fault::EmptyStatusPasses) => status.is_empty(),
                    Some(Fault::OnlyErrorFails) => status != "ERROR",
                    Some(Fault::StatusContainsOk) => status.contains("OK"),
                    _ => false,
                }
        };
        let of_one_name = |check: &Check| {
            let mut same = results.iter().filter(|other| other.name == check.name);
            match self.fault {
                Some(Fault::LastOfOneNameCounts) => same.next_back().is_some_and(passes),
                Some(Fault::FirstOfOneNameCounts) => same.next().is_some_and(passes),
                _ => passes(check),
            }
        };
        let is_ok = match self.fault {
            Some(Fault::FailuresIgnored) => true,
            Some(Fault::NoReportsIsAnError) if results.is_empty() => false,
            Some(Fault::FirstCheckCounts) => results.first().is_none_or(passes),
            _ => results.iter().all(of_one_name),
        };
        let is_late = |check: &Check| {
            let message = check.message.as_deref().unwrap_or_default();
            message.starts_with("timed out")
        };
        let counts = |check: &Check| match self.fault {
            Some(Fault::OptionalFailsAnswer) => true,
            Some(Fault::OptionalDeadlineCounts) if is_late(check) => true,
            Some(Fault::OptionalPanicCounts) => matches!(check.behaviour, Behaviour::Panic(_)),
            _ => !check.optional,
        };
        let failing: Vec<&Check> = results.iter().filter(|check| !of_one_name(check)).collect();
        let hides = self.has(Fault::OptionalHidesOthers) && failing.iter().any(|it| it.optional);
        let is_degraded = !is_ok && (hides || !failing.iter().any(|check| counts(check)));
        let is_told = self.has(Fault::OptionalAlwaysTold) && results.iter().any(|it| it.optional);
        let state = match is_ok {
            true if is_told => State::Degraded,
            true => State::Ok,
            false
                if failing.iter().any(|it| it.optional) && self.has(Fault::DegradedOverFailing) =>
            {
                State::Degraded
            }
            false if is_degraded && !failing.is_empty() => State::Degraded,
            false => State::Failing,
        };
        if state == State::Failing && self.has(Fault::OptionalLeftOut) {
            results.retain(|check| !check.optional);
        }
        if self.has(Fault::DuplicatesDropped) {
            results.dedup_by_key(|check| check.name.clone());
        }
        (state, results)
    }

    // H9, H10

    fn response(&self, view: View<'_>, state: State, results: &[Check]) -> Answer {
        let maintenance = self.code("maintenance_code", 299);
        let failure = self.code("failure_code", 503);
        let (mut status, text) = view.says(state);
        match (state, self.fault) {
            (State::Maintenance, Some(Fault::MaintenanceCodeIgnored)) => status = 299,
            (State::Maintenance, Some(Fault::SwitchHasACodeOfItsOwn))
                if self.told.is_switched() =>
            {
                status = 299;
            }
            (State::Maintenance, Some(Fault::OneCodeForBoth)) if failure != 503 => status = failure,
            (State::Failing, Some(Fault::OneCodeForBoth)) if maintenance != 299 => {
                status = maintenance
            }
            (State::Maintenance, Some(Fault::NotFoundPageInMaintenance)) if status == 404 => {
                return Answer::page(404, "Not Found");
            }
            (State::Failing, Some(Fault::FailureCodeIgnored)) => status = 503,
            _ => {}
        }
        let text = match (state, self.fault) {
            (State::Maintenance, Some(Fault::MaintenanceSaysOk)) => "OK",
            (State::Maintenance, Some(Fault::MaintenanceCode200IsHealth)) if status == 200 => "OK",
            (State::Failing, Some(Fault::FailureCode200IsHealth)) if status == 200 => "OK",
            _ => text,
        };
        let messages = results.iter().filter_map(|check| check.message.as_deref());
        let detail: String = messages
            .collect::<Vec<_>>()
            .join(" ")
            .replace(['\r', '\n', '\0'], " ");
        let body = match (state, self.fault) {
            (State::Failing, Some(Fault::DetailInBody)) => format!("{text}: {detail}"),
            (State::Failing, Some(Fault::PanicHasAPage)) if self.memory().has_panicked => {
                "a check panicked".to_owned()
            }
            _ => text.to_owned(),
        };
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut answer = Answer {
            status,
            reason: self.reason(view, state, status),
            headers: vec![
                header("content-type", "text/plain; charset=utf-8"),
                header("content-length", &body.len().to_string()),
                header("cache-control", "no-store"),
                header("x-content-type-options", "nosniff"),
            ],
            body,
        };
        for (name, value) in view.headers(state) {
            answer.set(name, &value);
        }
        match (state, self.fault) {
            (State::Starting, Some(Fault::LatchesInHeader)) => {
                answer.set("x-waits-for", &self.told.awaited().join(" "));
            }
            (State::Maintenance, Some(Fault::MaintenanceWithoutNoStore)) => {
                answer.unset("cache-control");
            }
            (State::Maintenance, Some(Fault::RedirectHasLocation))
                if (300..400).contains(&status) =>
            {
                answer.set("location", "/maintenance");
            }
            (State::Failing, Some(Fault::ErrorWithoutNosniff)) => {
                answer.unset("x-content-type-options")
            }
            (State::Failing, Some(Fault::CharsetInCapitals)) => {
                answer.set("content-type", "text/plain; charset=UTF-8");
            }
            (State::Failing, Some(Fault::ErrorInChunks)) => {
                answer.unset("content-length");
                answer.set("transfer-encoding", "chunked");
                answer.body = format!("{:x}\r\n{}\r\n0\r\n\r\n", answer.body.len(), answer.body);
            }
            (State::Degraded, Some(Fault::DegradedInHeader)) => answer.set("x-degraded", &detail),
            (State::Failing, Some(Fault::DetailInHeader)) => answer.set("x-error", &detail),
            (State::Failing, Some(Fault::DetailInReason)) => answer.reason = detail,
            _ => {}
        }
        answer
    }

    fn reason(&self, view: View<'_>, state: State, status: u16) -> String {
        let (_, own) = view.says(state);
        let canonical = ::http::StatusCode::from_u16(status).ok();
        let canonical = canonical.and_then(|status| status.canonical_reason());
        match (state, self.fault) {
            (_, Some(Fault::NoReason)) => "",
            (_, Some(Fault::FurtherWordIsTheReason)) if view.is_further() => own,
            (State::Failing, Some(Fault::ErrorIsTheReason)) => own,
            (State::Maintenance, Some(Fault::MaintenanceIsTheReason)) => own,
            (_, Some(Fault::YoungCodesUnknown)) if status == 425 => "",
            (State::Maintenance, Some(Fault::OddMaintenanceWithoutReason)) => {
                canonical.unwrap_or("")
            }
            (State::Failing, Some(Fault::OddErrorWithoutReason)) => canonical.unwrap_or(""),
            _ => canonical.unwrap_or(own),
        }
        .to_owned()
    }
}
