//! Signs of life that depend on the state of an endpoint.

mod file;
mod followed;
mod pulse;

pub(crate) use self::file::AliveFile;
pub(crate) use self::followed::{Followed, live};
pub(crate) use self::pulse::Pulse;
