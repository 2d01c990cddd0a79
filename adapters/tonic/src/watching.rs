//! The streams of *Watch*.

use std::future::ready;
use std::pin::Pin;

use futures::future::{Either, select};
use futures::stream::{empty, once, unfold};
use futures::{FutureExt as _, Stream, StreamExt as _};
use health_core::{DrainMoment, EndpointHandle, Health, State, Watch};
use tonic::Status;

use crate::generated::HealthCheckResponse;
use crate::generated::health_check_response::ServingStatus;
use crate::status::{response, status};

pub(crate) type StatusStream =
    Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

/// The statuses of an endpoint.
pub(crate) fn of(endpoint: EndpointHandle) -> StatusStream {
    let (watch, end) = (endpoint.watch(), endpoint.health().drain_end());
    let watching = Watching { endpoint, watch, is_known: false, end, last: None };
    Box::pin(unfold(watching, |mut watching| async move {
        let next = watching.next().await?;
        Some((next.map(response), watching))
    }))
}

/// That of a service that does not exist, until the server stops.
pub(crate) fn of_unknown(health: &Health) -> StatusStream {
    let unknown = once(ready(Ok(response(ServingStatus::ServiceUnknown))));
    let end = health.drain_end().map(|()| empty()).flatten_stream();
    Box::pin(unknown.chain(end))
}

struct Watching {
    endpoint: EndpointHandle,
    watch: Watch,
    /// Whether the states of `watch` are from after the first result of each check.
    is_known: bool,
    /// An open stream would keep the server from stopping. Before that moment, some clients would ask again at once.
    end: DrainMoment,
    last: Option<ServingStatus>,
}

impl Watching {
    async fn next(&mut self) -> Option<Result<ServingStatus, Status>> {
        loop {
            let now = match select(self.watch.next(), &mut self.end).await {
                Either::Left((Some(state), _)) => state,
                // It is draining, or over.
                Either::Left((None, end)) => {
                    end.await;
                    return None;
                }
                Either::Right(_) => return self.last_status().map(Ok),
            };
            if status(now) == ServingStatus::Serving && !self.is_known {
                if !self.endpoint.has_results() {
                    let run = Box::pin(self.endpoint.respond("checks=all"));
                    let has_ended = matches!(select(run, &mut self.end).await, Either::Right(_));
                    if has_ended {
                        return self.last_status().map(Ok);
                    }
                }
                if !self.endpoint.has_results() {
                    // Such as a maintenance that the watch has not seen yet. A client asks again.
                    return Some(Err(Status::unavailable("the status is not known yet")));
                }
                self.is_known = true;
                self.watch = self.endpoint.watch();
                continue;
            }
            let now = status(now);
            if self.last.replace(now) != Some(now) {
                return Some(Ok(now));
            }
        }
    }

    /// What is left to send when the drain has ended: the watch may not have shown it yet.
    fn last_status(&mut self) -> Option<ServingStatus> {
        let mut shown = self.endpoint.responses().map(|(state, ..)| state);
        let shows_drain = shown.any(|state| state == State::Draining);
        let status = ServingStatus::NotServing;
        (shows_drain && self.last.replace(status) != Some(status)).then_some(status)
    }
}
