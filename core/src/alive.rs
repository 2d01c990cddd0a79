//! Signs of life that depend on the state of an endpoint.

mod followed;
mod pulse;

pub(crate) use self::followed::{Followed, live};
pub(crate) use self::pulse::Pulse;
