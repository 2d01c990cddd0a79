//! References: what a reader below the full level sees in place of a text that may contain secrets. The log has both.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::runtime::process::{self, PerProcess};

/// The reference of the time for which a check is not OK: seven characters, the same in every document and record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference(u32);

/// Base 32 without the letters that look like digits, in lower case (Crockford's).
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for digit in (0..7).rev() {
            let index = (u64::from(self.0) >> (5 * digit)) & 31;
            write!(f, "{}", char::from(DIGITS[index as usize]))?;
        }
        Ok(())
    }
}

/// Makes references that a process does not repeat, and that rarely are those of another.
#[derive(Debug)]
pub(crate) struct References {
    /// Children of a fork begin elsewhere than their parent.
    start: PerProcess<u32>,
    count: AtomicU32,
}

impl References {
    pub(crate) fn new() -> Self {
        Self { start: PerProcess::new(), count: AtomicU32::new(0) }
    }

    pub(crate) fn next(&self) -> Reference {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let random = || RandomState::new().hash_one(process::id()) as u32;
        let start = *self.start.get_or_make(random);
        // An odd factor maps all counts to different numbers, and neighbours far apart.
        Reference(start.wrapping_add(count.wrapping_mul(0x9E37_79B1)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Reference, References};

    #[test]
    fn a_reference_has_seven_characters_that_are_hard_to_confuse() {
        assert_eq!(Reference(0).to_string(), "0000000");
        assert_eq!(Reference(u32::MAX).to_string(), "3zzzzzz");
        assert_eq!(Reference(33).to_string(), "0000011");
    }

    #[test]
    fn references_do_not_repeat() {
        let references = References::new();
        let seen: HashSet<_> = (0..10_000).map(|_| references.next().to_string()).collect();
        assert_eq!(seen.len(), 10_000);
    }
}
