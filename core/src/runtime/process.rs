//! Forks: a child process has a copy of its parent's memory, but none of its threads.
//!
//! So a value that stands for threads belongs to the process that made it, and a child makes another one. What the
//! child needs of the parent's locks it never takes: a thread that does not exist there may hold them.

use std::sync::OnceLock;

/// The process that calls this. A system call: for paths that run checks, not for a plain answer.
pub(crate) fn id() -> u32 {
    // Elsewhere there is no fork, and on some platforms no number of a process.
    if cfg!(unix) { std::process::id() } else { 0 }
}

/// A value for each process: a child makes its own when it first needs it, whatever its parent had.
///
/// Reading it takes no lock. The values of ancestors stay in memory and are not used.
#[derive(Debug)]
pub(crate) struct PerProcess<T>(OnceLock<Box<Entry<T>>>);

#[derive(Debug)]
struct Entry<T> {
    process: u32,
    value: T,
    /// That of a child.
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

    /// The value of this process; `make` makes it.
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        self.get_or_make_in(id(), make)
    }

    /// The value of this process, if it has one.
    pub(crate) fn get(&self) -> Option<&T> {
        let (latest, _) = self.latest();
        latest.filter(|entry| entry.process == id()).map(|entry| &entry.value)
    }

    fn get_or_make_in(&self, process: u32, make: impl FnOnce() -> T) -> &T {
        let (latest, next) = self.latest();
        let entry = match latest {
            // Only the latest: the number of an ancestor that is gone may come again.
            Some(entry) if entry.process == process => entry,
            _ => {
                next.0.get_or_init(|| Box::new(Entry { process, value: make(), next: Self::new() }))
            }
        };
        &entry.value
    }

    /// The latest entry, and where the next one belongs.
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
    fn each_process_has_a_value_that_it_makes_once() {
        let value = PerProcess::new();
        assert_eq!(value.get(), None);
        for (process, made, expected) in [
            (1, "parent", "parent"),
            (1, "again", "parent"),
            (2, "child", "child"),
            (2, "again", "child"),
            // Of a grandchild that has the number of its grandparent.
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
