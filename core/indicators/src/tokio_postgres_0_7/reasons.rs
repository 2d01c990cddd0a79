//! The reasons of errors of tokio-postgres.

use std::error::Error as StdError;
use std::io;

use ::tokio_postgres_0_7::Error;

use crate::reason;
use crate::sqlstate::of_sqlstate;

pub(crate) fn reason_of(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let error = error.downcast_ref::<Error>()?;
    if let Some(error) = error.as_db_error() {
        return of_sqlstate(error.code().code(), error.message());
    }
    if error.is_closed() {
        return Some(reason::CLOSED);
    }
    let cause = error.source();
    let io_kind = cause.and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let cause_text = cause.map(ToString::to_string).unwrap_or_default();
    // Nothing else tells the kind of an error.
    Some(match error.to_string().as_str() {
        "error performing TLS handshake" => reason::TLS,
        "authentication error" => reason::UNAUTHORIZED,
        "invalid configuration" if cause_text == "password missing" => reason::UNAUTHORIZED,
        "invalid configuration" | "invalid connection string" => reason::MISCONFIGURED,
        "unexpected message from server" | "error parsing response from server" => reason::PROTOCOL,
        // A message that it cannot parse.
        "error communicating with the server" if io_kind == Some(io::ErrorKind::InvalidInput) => {
            reason::PROTOCOL
        }
        // With `target_session_attrs=read-write`.
        "error connecting to server" if cause_text == "database does not allow writes" => {
            reason::READ_ONLY
        }
        "timeout waiting for server" => reason::TIMED_OUT,
        _ => return None,
    })
}
