//! What an endpoint says in each state.

use http::StatusCode;

use super::Endpoint;
use super::response::Extra;
use crate::config::code;
use crate::error::BuildError;
use crate::state::{Body, State};

/// A value for each state, complete by type: no state can be forgotten. One that is `None` the endpoint ignores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<T> {
    pub(crate) ok: T,
    pub(crate) degraded: T,
    pub(crate) failing: T,
    pub(crate) starting: Option<T>,
    pub(crate) maintenance: Option<T>,
    pub(crate) draining: Option<T>,
}

/// A code as it was written, and the body.
pub(super) type Written = (u16, Body);

/// What an endpoint says in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: StatusCode,
    pub(crate) word: Body,
    pub(crate) extra: Extra,
}

impl<T: Copy> Table<T> {
    /// What there is for `state`; `None` where it is ignored.
    pub(crate) fn get(&self, state: State) -> Option<T> {
        match state {
            State::Ok => Some(self.ok),
            State::Degraded => Some(self.degraded),
            State::Failing => Some(self.failing),
            State::Starting => self.starting,
            State::Maintenance => self.maintenance,
            State::Draining => self.draining,
        }
    }

    pub(super) fn set(&mut self, state: State, value: T) {
        match state {
            State::Ok => self.ok = value,
            State::Degraded => self.degraded = value,
            State::Failing => self.failing = value,
            State::Starting => self.starting = Some(value),
            State::Maintenance => self.maintenance = Some(value),
            State::Draining => self.draining = Some(value),
        }
    }

    /// The same for what `change` makes of each value.
    pub(super) fn try_map<U, E>(
        self,
        change: impl Fn(State, T) -> Result<U, E>,
    ) -> Result<Table<U>, E> {
        let optional =
            |state, value: Option<T>| value.map(|value| change(state, value)).transpose();
        Ok(Table {
            ok: change(State::Ok, self.ok)?,
            degraded: change(State::Degraded, self.degraded)?,
            failing: change(State::Failing, self.failing)?,
            starting: optional(State::Starting, self.starting)?,
            maintenance: optional(State::Maintenance, self.maintenance)?,
            draining: optional(State::Draining, self.draining)?,
        })
    }
}

/// A code that can be sent.
///
/// # Errors
///
/// It is outside of H11's range, or contradicts its state (H16).
pub(super) fn checked(
    endpoint: &Endpoint,
    state: State,
    (number, word): Written,
) -> Result<(StatusCode, Body), BuildError> {
    let path = || endpoint.path.clone();
    let code = code(number).map_err(|rule| BuildError::EndpointCode {
        path: path(),
        state,
        code: number,
        rule,
    })?;
    match contradiction(endpoint, state, code, word) {
        None => Ok((code, word)),
        Some(why) => Err(BuildError::ContradictingCode {
            path: path(),
            state,
            code: number,
            word,
            why,
        }),
    }
}

/// The code of the original for a maintenance.
const PYRAMID: u16 = 299;

/// Why nobody would understand `code` and `word` in `state`.
fn contradiction(
    endpoint: &Endpoint,
    state: State,
    code: StatusCode,
    word: Body,
) -> Option<&'static str> {
    let is_success = code.is_success();
    let passes = is_success || code.is_redirection();
    match state {
        State::Ok if !is_success => Some("what is ok has a code from 200 to 299"),
        State::Ok if word != Body::Ok => Some("what is ok says OK"),
        State::Ok => None,
        State::Degraded if word == Body::Ok && !is_success => {
            Some("OK goes with a code from 200 to 299")
        }
        State::Degraded => None,
        _ if word == Body::Ok => Some("only what is ok or degraded says OK"),
        State::Failing if passes && endpoint.allowed_failing != Some(code.as_u16()) => Some(
            "pollers take a code below 400 for healthy; allow it by Endpoint::allow_failing_code",
        ),
        State::Failing => None,
        State::Starting | State::Maintenance | State::Draining if endpoint.is_liveness => {
            Some("a process is not to be restarted for that; Endpoint::readiness shows it")
        }
        State::Starting | State::Maintenance | State::Draining if passes && code != PYRAMID => {
            Some(
                "pollers take a code below 400 for healthy; choose another, or 299, or let the endpoint \
             ignore the state",
            )
        }
        State::Starting | State::Maintenance | State::Draining => None,
    }
}
