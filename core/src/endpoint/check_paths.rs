//! A path for each check of an endpoint (H32).

use std::fmt::Write as _;

use super::{Endpoint, Purpose, ResolvedEndpoint, RunChecks};
use crate::check::{Check, Counting, Criticality};
use crate::error::BuildError;

impl Endpoint {
    /// Also responds for each of its checks alone, at the path of the endpoint and the name of the check: `/ready/database`
    /// ([H32](crate::contract#h32)). Every request there runs the check, whenever the endpoint runs its own. A failure is
    /// [`Failing`](crate::State::Failing), even of a check that is optional or shared. Drain, maintenance and start are shown as
    /// by the endpoint, and so are details. Default: no path for a check.
    ///
    /// In the path, each byte of a name but ASCII letters, digits, `-`, `_` and `.` is written as `~` and two hexadecimal
    /// digits: the check `cache (eu)` of `/ready` is at `/ready/cache~20~28eu~29`. Names of only `.` are escaped too, because
    /// clients resolve them.
    ///
    /// These are errors when the endpoints are built: an endpoint that runs no checks; another endpoint that has one of the
    /// paths.
    pub fn check_paths(mut self) -> Self {
        self.has_check_paths = true;
        self
    }

    pub(super) fn refuse_check_paths(&self, checks: usize) -> Result<(), BuildError> {
        if self.has_check_paths && (checks == 0 || self.run_checks == RunChecks::Never) {
            return Err(self.no_effect("check_paths", "which runs no checks"));
        }
        Ok(())
    }
}

impl ResolvedEndpoint {
    /// The endpoints for each of its checks alone; none unless the description asks for them.
    pub(crate) fn of_each_check(&self, checks: &[Check]) -> Vec<Self> {
        if !self.has_check_paths {
            return Vec::new();
        }
        let separator = if self.path.ends_with('/') { "" } else { "/" };
        let alone = |&(index, _): &(usize, Counting)| Self {
            path: format!("{}{separator}{}", self.path, segment(&checks[index].name)).into(),
            checks: vec![(index, Counting::As(Criticality::Required))],
            run_checks: RunChecks::Always,
            replies: self.replies,
            recovery_delay: None,
            has_check_paths: false,
            is_of_check: true,
            purpose: Purpose::AlertsPeople,
            #[cfg(feature = "details")]
            details: self.details.clone(),
        };
        self.checks.iter().map(alone).collect()
    }
}

/// The segment of a path for the check of this name.
fn segment(name: &str) -> String {
    let is_dots = name.bytes().all(|byte| byte == b'.');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.bytes().fold(String::new(), |mut segment, byte| {
        if is_plain(byte) && !is_dots {
            segment.push(byte.into());
        } else {
            // Writing into a string does not fail.
            let _ = write!(segment, "~{byte:02x}");
        }
        segment
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::segment;
    use crate::config::url;

    #[test]
    fn what_paths_cannot_contain_is_escaped() {
        for (name, expected) in [
            ("database", "database"),
            ("read-replica_2.eu", "read-replica_2.eu"),
            ("cache (eu)", "cache~20~28eu~29"),
            ("a/b", "a~2fb"),
            (":id", "~3aid"),
            ("~", "~7e"),
            ("é", "~c3~a9"),
            ("100 %", "100~20~25"),
            (".", "~2e"),
            ("..", "~2e~2e"),
            ("...", "~2e~2e~2e"),
            (".env", ".env"),
        ] {
            assert_eq!(segment(name), expected);
        }
    }

    proptest! {
        #[test]
        fn every_name_has_a_segment_of_its_own_that_every_framework_accepts(
            names in prop::collection::hash_set("\\PC{1,20}", 1..20),
        ) {
            let segments: HashSet<_> = names.iter().map(|name| segment(name)).collect();
            prop_assert_eq!(segments.len(), names.len());
            for segment in segments {
                let path = format!("/ready/{segment}");
                prop_assert!(url(&path).is_ok(), "{}", path);
                prop_assert!(!segment.contains('/'), "{}", segment);
            }
        }
    }
}
