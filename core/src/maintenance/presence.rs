//! The result of a stat of the disablefile (H4).

use std::io;
use std::sync::Arc;

/// Whether the disablefile exists.
#[derive(Debug, Clone)]
pub(super) enum Presence {
    Present,
    Absent,
    /// The stat failed, with an error other than "not found".
    Unknown(Arc<io::Error>),
}

impl Presence {
    pub(super) fn from_stat<T>(stat: io::Result<T>) -> Self {
        match stat {
            Ok(_) => Self::Present,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Absent,
            Err(error) => Self::Unknown(Arc::new(error)),
        }
    }

    /// Whether this counts as maintenance.
    pub(super) fn is_active(&self) -> bool {
        matches!(self, Self::Present)
    }
}
