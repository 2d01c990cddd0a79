//! The age of a file that a worker touches while it is alive.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::verdict::Verdict;

/// Whether the file at `path` is a regular file that was modified at most `max_age` ago: the verdict on a process
/// without a server, which touches the file while it is alive.
///
/// The age is the difference between the modification time and the system clock. If the clock was put back, the file
/// seems to come from the future; a file from more than `max_age` in the future is failing, too. A link is not
/// followed. A file that is missing, too old, or cannot be looked up is failing.
///
/// It blocks the calling thread while the file system does.
///
/// ```
/// use std::time::Duration;
///
/// let verdict = health_probe::check_file("/run/no-such-worker/alive", Duration::from_secs(30));
/// assert!(!verdict.is_healthy());
/// ```
pub fn check_file(path: impl AsRef<Path>, max_age: Duration) -> Verdict {
    let path = path.as_ref();
    let modified = match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => found.modified(),
        Ok(_) => return Verdict::Failing(format!("{path:?} is not a regular file")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Verdict::Failing(format!("{path:?} does not exist"));
        }
        Err(error) => Err(error),
    };
    match modified {
        Ok(modified) => judge(path, modified, SystemTime::now(), max_age),
        Err(error) => Verdict::Failing(format!("{path:?}: {error}")),
    }
}

fn judge(path: &Path, modified: SystemTime, now: SystemTime, max_age: Duration) -> Verdict {
    let (age, difference) = match now.duration_since(modified) {
        Ok(age) => (age, "old"),
        Err(future) => (future.duration(), "in the future"),
    };
    let line = format!("{path:?} is {:.1} s {difference}", age.as_secs_f64());
    if age <= max_age {
        Verdict::Healthy(line)
    } else {
        Verdict::Failing(format!("{line}, more than {max_age:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_file_is_healthy_up_to_its_maximum_age_in_both_directions() {
        let now = SystemTime::now();
        let verdict = |modified| judge(Path::new("alive"), modified, now, 30 * SECOND).to_string();
        assert_eq!(verdict(now), "healthy: \"alive\" is 0.0 s old");
        assert_eq!(verdict(now - 30 * SECOND), "healthy: \"alive\" is 30.0 s old");
        assert_eq!(verdict(now - 31 * SECOND), "failing: \"alive\" is 31.0 s old, more than 30s");
        assert_eq!(verdict(now + 30 * SECOND), "healthy: \"alive\" is 30.0 s in the future");
        let future = "failing: \"alive\" is 31.0 s in the future, more than 30s";
        assert_eq!(verdict(now + 31 * SECOND), future);
    }
}
