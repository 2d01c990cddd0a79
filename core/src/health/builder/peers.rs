//! Validates the check that exchanges views with the peers (H24).

use crate::check::Check;
use crate::error::BuildError;

/// Refuses what does not fit such a check.
pub(super) fn refuse(checks: &[Check]) -> Result<(), BuildError> {
    let mut of_peers = checks.iter().filter(|check| check.is_of_peers());
    let Some(first) = of_peers.next() else {
        return Ok(());
    };
    let name = || first.name.clone();
    if let Some(second) = of_peers.next() {
        return Err(BuildError::DuplicatePeers { first: name(), second: second.name.clone() });
    }
    if first.is_shared {
        return Err(BuildError::MisdescribedPeers { name: name(), call: "shared" });
    }
    if first.is_process_only {
        return Err(BuildError::MisdescribedPeers { name: name(), call: "process_only" });
    }
    if !checks.iter().any(|check| check.is_shared) {
        return Err(BuildError::PeersWithoutShared { name: name() });
    }
    Ok(())
}
