//! H27: the end of a drain.

use std::mem;
use std::time::Duration;

use health_conformance::Drain;

use super::connection::is_application;
use crate::correct::{Answer, Correct};
use crate::fault::{Decoration, exchange, faults, setup, to};
use crate::http::Request;

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

faults! {
    /// A drain has no minimum.
    MinimumIgnored: "drain-end/minimum" => drain(|drain| {
        if drain.at_most.is_some() {
            drain.at_least = Duration::ZERO;
        }
    });
    /// A drain lasts for its maximum.
    AlwaysMaximum: "drain-end/minimum", "drain-end/active-request", "drain-end/liveness-is-no-poller" =>
        drain(|drain| drain.at_least = drain.at_most.unwrap_or(drain.at_least));
    /// A fixed time is a minimum.
    FixedTimeProlonged: "drain-end/fixed" =>
        drain(|drain| drain.at_most = drain.at_most.or(Some(TEN_YEARS)));
    /// A fixed time is not waited for.
    FixedTimeIgnored: "drain-end/fixed" => drain(|drain| {
        if drain.at_most.is_none() {
            drain.at_least = Duration::ZERO;
        }
    });
    /// A drain ends after its minimum, whatever it should wait for.
    MinimumIsEnough: "drain-end/active-request", "drain-end/active-stream",
    "drain-end/maximum", "drain-end/maximum-despite-poller",
    "drain-end/poller-is-told", "drain-end/poller-of-another-endpoint-is-told",
    "drain-end/poller-is-gone", "drain-end/single-poll" => drain(|drain| drain.at_most = None);
    /// No request is active.
    NoRequestIsActive: "drain-end/active-request", "drain-end/active-stream", "drain-end/maximum" =>
        inactive(|_| true);
    /// A response is no longer active when its head is sent.
    StreamNotActive: "drain-end/active-stream" => inactive(|request| request.path() == "/stream");
    /// A request of the application stays active forever.
    RequestStaysActive: "drain-end/active-request" =>
        leaks(|_, request, _| request.path() == "/slow");
    /// A stream stays active forever.
    StreamStaysActive: "drain-end/active-stream" => leaks(|answer, _, _| answer.sent_first.is_some());
    /// A request whose client has left stays active forever.
    LeftRequestStaysActive: "drain-end/client-leaves" => leaks(|_, request, _| request.has_left());
    /// A drain has no maximum.
    MaximumIgnored: "drain-end/maximum", "drain-end/maximum-despite-poller" =>
        drain(|drain| drain.at_most = drain.at_most.map(|_| TEN_YEARS));
    /// A drain ends before its maximum.
    MaximumTooEarly: "drain-end/maximum", "drain-end/maximum-despite-poller" =>
        drain(|drain| drain.at_most = drain.at_most.map(|at_most| at_most / 2));
    /// A poller is not forgotten when it is gone.
    PollersNeverGone: "drain-end/poller-is-gone", "drain-end/single-poll" => leaks(is_poll);
    /// A poller never counts as told.
    PollersNeverTold: "drain-end/poller-is-told", "drain-end/poller-of-another-endpoint-is-told" =>
        leaks(|answer, _, _| answer.state() == "DRAINING");
    /// A poller has noticed a drain when it was told once.
    OneResponseIsEnough: "drain-end/poller-is-told", "drain-end/poller-is-told-as-configured" =>
        drain(|drain| drain.failure_threshold = Some(1));
    /// How often a poller is told cannot be configured.
    ThresholdIgnored: "drain-end/poller-is-told-as-configured" =>
        drain(|drain| drain.failure_threshold = None);
    /// Only the poller of one endpoint is waited for.
    OtherPollersIgnored: "drain-end/poller-of-another-endpoint-is-told" =>
        drain_of(|setup| !setup.endpoints.is_empty(), |drain| drain.at_most = None);
    /// A client of an endpoint that ignores the drain is a poller.
    LivenessIsPoller: "drain-end/liveness-is-no-poller" => leaks(|_, request, correct| {
        correct.further(request).is_some_and(|endpoint| endpoint.path == "/live")
    });
}

fn drain(edit: fn(&mut Drain)) -> Decoration {
    drain_of(|_| true, edit)
}

/// The drain of servers that this is true of has other limits.
fn drain_of(is_for: fn(&health_conformance::Setup) -> bool, edit: fn(&mut Drain)) -> Decoration {
    setup(move |setup| {
        if is_for(setup) {
            setup.drain.iter_mut().for_each(edit);
        }
    })
}

/// Requests that this is true of are not active.
fn inactive(is_for: fn(&Request) -> bool) -> Decoration {
    exchange(move |request, correct| {
        Ok(if is_for(request) {
            correct.answer_untracked(request)
        } else {
            correct.answer(request)
        })
    })
}

/// Requests that this is true of stay active forever.
fn leaks(
    is_for: impl Fn(&Answer, &Request, &Correct) -> bool + Send + Sync + 'static,
) -> Decoration {
    to(move |answer, request, correct| {
        if is_for(answer, request, correct) {
            mem::forget(correct.track());
        }
    })
}

/// Whether a request is one of a poller.
fn is_poll(_: &Answer, request: &Request, correct: &Correct) -> bool {
    !is_application(request, correct)
}
