//! The age of a file.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use crate::Run;

fn check(path: &std::path::Path) -> Run {
    Run::of(["--max-age=60".as_ref(), "--file".as_ref(), path.as_os_str()])
}

#[test]
fn a_file_is_healthy_if_it_is_new_and_failing_if_it_is_old_or_missing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("alive");
    check(&path).concluded(1, &format!("failing: {path:?} does not exist"));

    let file = File::create(&path).unwrap();
    let run = check(&path);
    assert_eq!(run.code, Some(0));
    assert!(run.out.starts_with(&format!("healthy: {path:?} is ")), "{run:?}");

    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    let run = check(&path);
    assert_eq!(run.code, Some(1));
    assert!(run.out.ends_with(" s old, more than 60s\n"), "{run:?}");
}

#[test]
fn only_a_regular_file_is_healthy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("alive");
    fs::create_dir(&path).unwrap();
    check(&path).concluded(1, &format!("failing: {path:?} is not a regular file"));
    #[cfg(unix)]
    {
        let target = directory.path().join("target");
        File::create(&target).unwrap();
        fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        check(&path).concluded(1, &format!("failing: {path:?} is not a regular file"));
    }
}

#[test]
fn a_file_needs_a_maximum_age_and_excludes_a_request() {
    Run::of(["--file=alive"]).fails("--file needs --max-age");
    Run::of(["--max-age=60"]).fails("--max-age needs --file");
    for more in ["http://localhost/", "--timeout=4", "--unix-socket=s", "--maintenance-ok"] {
        Run::of(["--file=alive", "--max-age=60", more]).fails("--file is not for a request");
    }
    Run::of(["--file=", "--max-age=60"]).fails("--file has an empty path");
    for age in ["", "x", "0", "-1", "NaN", "31536001"] {
        Run::of(["--file=alive", "--max-age", age]).fails("is not a number of seconds from 0.001");
    }
}
