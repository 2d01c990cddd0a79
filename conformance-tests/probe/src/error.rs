//! Why a probe has no verdict.

use std::error::Error;
use std::fmt;

/// Why there is no [`Verdict`](crate::Verdict). [`Display`](fmt::Display) shows a sentence for the user, without
/// control characters of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeError {
    /// The URL cannot be requested: [`Probe::new`](crate::Probe::new) returns it.
    #[non_exhaustive]
    Url {
        /// The URL.
        url: String,
        /// The rest of a sentence that begins with the URL.
        reason: &'static str,
    },
    /// The server cannot be reached, does not respond in time, or does not respond in HTTP/1:
    /// [`Probe::send`](crate::Probe::send) returns it.
    #[non_exhaustive]
    NoResponse {
        /// What failed, for example `127.0.0.1:8080: Connection refused (os error 111)`.
        reason: String,
    },
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, reason } => write!(f, "the URL {url:?} {reason}"),
            Self::NoResponse { reason } => write!(f, "no response: {reason}"),
        }
    }
}

impl Error for ProbeError {}
