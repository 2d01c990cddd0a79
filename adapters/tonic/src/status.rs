//! The status for a state (H28).

use health_core::State;

use crate::generated::HealthCheckResponse;
use crate::generated::health_check_response::ServingStatus;

pub(crate) fn status(state: State) -> ServingStatus {
    match state {
        State::Ok | State::Degraded => ServingStatus::Serving,
        State::Failing | State::Starting | State::Maintenance | State::Draining => {
            ServingStatus::NotServing
        }
    }
}

pub(crate) fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}
