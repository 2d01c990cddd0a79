//! What a stat of the disablefile says (H4).

use std::io;
use std::sync::Arc;

/// Whether the disablefile exists.
#[derive(Debug, Clone)]
pub(super) enum Presence {
    Present,
    Absent,
    /// The stat failed, and not because nothing is there.
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

    /// Whether that is maintenance.
    pub(super) fn is_active(&self) -> bool {
        matches!(self, Self::Present)
    }
}
