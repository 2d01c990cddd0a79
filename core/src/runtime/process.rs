//! Forks: a child process has a copy of its parent's memory, but none of its threads.
//!
//! So a value that depends on threads belongs to the process that created it, and a child creates its own. The child never
//! takes locks of the parent, because a thread that does not exist in the child may hold them.

use std::sync::OnceLock;

/// The id of this process. It is a system call, so only code that runs checks uses it, not a response without checks.
pub(crate) fn id() -> u32 {
    // Other systems have no fork, and some platforms have no process ids.
    if cfg!(unix) { std::process::id() } else { 0 }
}

/// A value for each process. A child creates its own when it first needs it.
///
/// Reading it takes no lock. The values of ancestors stay in memory and are not used.
#[derive(Debug)]
pub(crate) struct PerProcess<T>(OnceLock<Box<Entry<T>>>);

#[derive(Debug)]
struct Entry<T> {
    process: u32,
    value: T,
    /// The entry of a child.
    next: PerProcess<T>,
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The value of this process, created by `make` at first.
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        self.get_or_make_in(id(), make)
    }

    /// The value of this process, if it has one.
    pub(crate) fn get(&self) -> Option<&T> {
        let (latest, _) = self.latest();
        latest.filter(|entry| entry.process == id()).map(|entry| &entry.value)
    }

    /// The value of this process, whose id the caller has.
    pub(crate) fn get_or_make_in(&self, process: u32, make: impl FnOnce() -> T) -> &T {
        let (latest, next) = self.latest();
        let entry = match latest {
            // Only the latest entry: a process id of a dead ancestor can be reused.
            Some(entry) if entry.process == process => entry,
            _ => {
                next.0.get_or_init(|| Box::new(Entry { process, value: make(), next: Self::new() }))
            }
        };
        &entry.value
    }

    /// The latest entry, and the place for the next.
    fn latest(&self) -> (Option<&Entry<T>>, &Self) {
        let (mut latest, mut next) = (None, self);
        while let Some(entry) = next.0.get() {
            (latest, next) = (Some(&**entry), &entry.next);
        }
        (latest, next)
    }
}

#[cfg(test)]
mod tests {
    use super::PerProcess;

    #[test]
    fn each_process_creates_its_value_once() {
        let value = PerProcess::new();
        assert_eq!(value.get(), None);
        for (process, made, expected) in [
            (1, "parent", "parent"),
            (1, "again", "parent"),
            (2, "child", "child"),
            (2, "again", "child"),
            // A grandchild with the process id of its grandparent.
            (1, "grandchild", "grandchild"),
            (1, "again", "grandchild"),
        ] {
            assert_eq!(*value.get_or_make_in(process, || made), expected);
        }
        assert_eq!(value.get(), None);
        assert_eq!(*value.get_or_make(|| "this"), "this");
        assert_eq!(value.get(), Some(&"this"));
    }
}
