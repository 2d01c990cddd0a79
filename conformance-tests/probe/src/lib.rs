#![doc = include_str!("../README.md")]

mod arguments;
mod command;
mod error;
mod exchange;
mod file;
mod probe;
mod response;
mod url;
mod verdict;

pub use crate::command::run;
pub use crate::error::ProbeError;
pub use crate::file::check_file;
pub use crate::probe::Probe;
pub use crate::verdict::Verdict;
