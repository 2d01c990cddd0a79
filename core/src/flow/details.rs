//! The details of an endpoint: what one reader may see at the moment of a request (H29 to H31).

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::{Application, ServedEndpoint};
use crate::check::{Counting, Criticality, Report, gravest};
use crate::decision::Decision;
use crate::details::{
    Cause, CheckDetails, DetailLevel, EndpointDetails, Format, LatchDetails, People, Poll, Process,
    ReportDetails, Snapshot,
};
use crate::endpoint::{HealthRequest, HealthResponse};
use crate::lifecycle::{Latched, Start};
use crate::run::RegisteredCheck;
use crate::state::State;

/// The wall clock and the runtime's at one moment.
#[derive(Clone, Copy)]
struct Now {
    instant: Instant,
    system: SystemTime,
}

impl Now {
    fn system_time(&self, instant: Instant) -> SystemTime {
        let age = self.instant.saturating_duration_since(instant);
        self.system.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

impl Application {
    /// Shows the details in `response` if the request asks for them. Counts it.
    #[cold]
    pub(super) fn detailed(
        &self,
        served: &ServedEndpoint,
        details: &EndpointDetails,
        request: &HealthRequest<'_>,
        decision: &Decision,
        response: HealthResponse,
    ) -> HealthResponse {
        #[cfg(feature = "metrics")]
        served.counts.responded(response.state());
        if details.is_none() {
            return response;
        }
        self.follow_after_fork();
        let head = request.head();
        let level = details.level_for(head.map_or(&[], |head| &head.authorization));
        let accept: &[_] = head.map_or(&[], |head| &head.accept);
        let format = match level {
            DetailLevel::None => Format::Word,
            #[cfg(feature = "metrics")]
            _ if details.is_metrics => Format::of_metrics(request.query, accept),
            _ => Format::of(request.query, accept),
        };
        let response = if level == DetailLevel::None { response } else { response.varying() };
        let runtime = self.engine.runtime();
        let now = Now { instant: runtime.now(), system: runtime.system_time() };
        if format == Format::Word {
            served.history.polled((now.instant, response.status(), response.word()));
            return response;
        }
        #[cfg(feature = "metrics")]
        if let Format::Metrics(exposition) = format {
            let document = self.figures(served, details, level).write(exposition);
            return response.with_document(Some(document));
        }
        let snapshot = self.snapshot(served, level, decision, &response, now);
        response.with_document(format.write(&snapshot))
    }

    fn snapshot(
        &self,
        served: &ServedEndpoint,
        level: DetailLevel,
        decision: &Decision,
        response: &HealthResponse,
        now: Now,
    ) -> Snapshot {
        let state = response.state();
        let changes = served.history.changes();
        let time = |(time, state): (Instant, State)| (now.system_time(time), state);
        let last_poll = served.history.last_poll();
        let (checks, has_run_checks) = self.check_details(served, level, decision, now);
        let changed = changes.last().filter(|(_, last)| *last == state);
        let since = match (&checks[..], decision) {
            // Its state is that of its only check, whose history is enough.
            ([check], Decision::Checked(_)) if served.endpoint.is_of_check => check.since,
            _ => changed.map(|(since, _)| now.system_time(*since)),
        };
        Snapshot {
            time: now.system,
            path: served.endpoint.path.clone(),
            state,
            status: response.status(),
            word: response.word(),
            since,
            cause: self.cause(level, decision, now),
            last_poll: last_poll.map(|(time, status, word)| Poll {
                time: now.system_time(time),
                status,
                word,
            }),
            has_run_checks,
            checks,
            changes: changes.into_iter().map(time).collect(),
            process: (level == DetailLevel::Full).then(|| self.process(now)),
        }
    }

    fn cause(&self, level: DetailLevel, decision: &Decision, now: Now) -> Cause {
        let is_full = level == DetailLevel::Full;
        match decision {
            Decision::Pass | Decision::Checked(_) => Cause::Checks,
            Decision::Delayed { rest, .. } => Cause::Recovery { rest: *rest },
            Decision::Start(unreleased) => {
                let has_failed = unreleased.start == Start::Failed;
                let latch = |latch: &Arc<Latched>| LatchDetails {
                    name: latch.name.clone(),
                    has_failed,
                    error: latch.error().filter(|_| is_full).map(str::to_owned),
                };
                Cause::Start { latches: unreleased.latches.iter().map(latch).collect() }
            }
            Decision::Maintain => Cause::Maintenance {
                by_switch: self.maintenance.switch().is_on(),
                disablefile: self
                    .config
                    .disablefile()
                    .filter(|_| is_full)
                    .map(|path| path.display().to_string()),
            },
            Decision::Drain => Cause::Drain {
                rest: self.drain.ends().map(|end| end.saturating_duration_since(now.instant)),
                active_requests: self.drain.active(),
            },
        }
    }

    fn process(&self, now: Now) -> Process {
        let started = self.started_at.get().copied().unwrap_or(now.instant);
        Process {
            service: self.service.clone(),
            uptime: now.instant.saturating_duration_since(started),
            active_requests: self.drain.active(),
        }
    }

    /// The checks of the endpoint, with the results that the decision follows from, or else the last ones; and whether the
    /// request has run them.
    fn check_details(
        &self,
        served: &ServedEndpoint,
        level: DetailLevel,
        decision: &Decision,
        now: Now,
    ) -> (Vec<CheckDetails>, bool) {
        let last: Vec<_>;
        let (results, has_run): (Vec<_>, _) = match decision {
            Decision::Checked(outcome) | Decision::Delayed { outcome, .. } => {
                (outcome.results.iter().map(Some).collect(), true)
            }
            Decision::Pass | Decision::Start(_) | Decision::Maintain | Decision::Drain => {
                let (instant, resumed) = self.engine.time();
                last = served.dispatcher.last_results(instant, resumed).collect();
                (last.iter().map(Option::as_ref).collect(), served.endpoint.checks.is_empty())
            }
        };
        let registered = served.endpoint.checks.iter();
        let details = registered.zip(results).map(|((index, counting), result)| {
            check_details(&self.engine.checks[*index], *counting, result, level, now)
        });
        (details.collect(), has_run)
    }
}

fn check_details(
    check: &RegisteredCheck,
    counting: Counting,
    result: Option<&(Criticality, Arc<[Report]>)>,
    level: DetailLevel,
    now: Now,
) -> CheckDetails {
    let criticality = match (result, counting) {
        (Some((criticality, _)), _) => *criticality,
        (None, Counting::As(criticality)) => criticality,
        (None, Counting::Shared { .. }) => Criticality::Required,
    };
    let info = &check.info;
    let time = |instant| now.system_time(instant);
    let status = result.map(|(_, reports)| gravest(reports));
    let history = check.with_history(|history| {
        let latest = history.latest().collect();
        (history.since(status), history.last_ok(), history.last(), latest)
    });
    let (since, last_ok, last, history) = history.unwrap_or_default();
    let reports = result.map_or(&[][..], |(_, reports)| reports);
    let results = ReportDetails::of_all(reports, level);
    CheckDetails {
        name: info.name.clone(),
        status,
        criticality,
        is_shared: info.is_shared,
        period: info.period,
        omitted_results: reports.len() - results.len(),
        results,
        since: since.map(time),
        last_ok: last_ok.map(time),
        last_execution: last.map(|(ended, duration)| (time(ended), duration)),
        history,
        people: People::of(info, level),
    }
}
