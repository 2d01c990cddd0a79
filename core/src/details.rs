//! What an endpoint shows besides the word: how much, to which reader, in which format (H29 to H32).
//!
//! A [`Snapshot`] is made for the level of one request, and contains nothing above that level, so that no format can show
//! more.

mod accept;
mod format;
mod grade;
mod health_json;
mod healthchecks_ui;
mod json;
mod level;
#[cfg(feature = "metrics")]
mod metrics;
mod object;
#[cfg(feature = "page")]
mod page;
mod snapshot;
mod spring;
mod time;
mod tokens;
mod verbose;

pub(crate) use self::format::{Document, Format};
pub use self::level::DetailLevel;
pub(crate) use self::level::EndpointDetails;
#[cfg(feature = "metrics")]
pub(crate) use self::metrics::{
    CheckCounts, CheckFigures, EndpointCounts, EndpointFigures, Figures, values_of,
};
#[cfg(feature = "metrics-facade")]
pub(crate) use self::metrics::{Facade, duration_of};
pub(crate) use self::snapshot::{
    Cause, CheckDetails, LatchDetails, People, Poll, Process, ReportDetails, Sample, Snapshot,
};
pub(crate) use self::tokens::SHORT_TOKEN;
pub use self::tokens::{BearerTokens, TokenError};
