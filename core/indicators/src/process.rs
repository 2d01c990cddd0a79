//! What this process uses of what the system allows it.

use health_core::Unit;

use crate::Class;
use crate::cgroup::{self, Cgroups, Used};
use crate::kernel::{Kernel, Unknown, number_after, word_after};
use crate::usage::{Reading, Usage};

/// The files and sockets that this process has open, against its limit (`ulimit -n`). At the limit, it accepts no
/// connection.
///
/// | | |
/// |---|---|
/// | class | process: a leak of them ends with the process |
/// | timeout | that of the check |
/// | default | degraded above 80 % |
/// | reasons | `above_limit`, `misconfigured`; `unsupported` and `unauthorized`, which are degraded |
/// | values | `used` as a ratio, `open` and `limit` as counts |
/// | needs | Linux |
/// | costs | a look at each of them: some milliseconds for 10,000 |
/// | does not prove | that the host has files left for all of its processes |
pub fn open_files() -> Usage {
    Usage::new(read_open_files, 0.8, Class::Process)
}

/// The threads and processes of the cgroup of this process, such as of its container, against its limit (`pids.max`). At
/// the limit, no thread can be started.
///
/// Of the cgroup and those that contain it, the fullest counts.
///
/// | | |
/// |---|---|
/// | class | local |
/// | timeout | that of the check |
/// | default | degraded above 80 % |
/// | reasons | `above_limit`, `misconfigured`; `unsupported`, `unauthorized` and `saturated` (the process may open no more files), which are degraded |
/// | values | `threads` of this process; if there is a limit, `used` as a ratio, `tasks` and `limit` as counts |
/// | needs | Linux |
/// | does not prove | that the user (`ulimit -u`) or the host may have more of them |
pub fn threads() -> Usage {
    Usage::new(read_threads, 0.8, Class::Local)
}

fn read_open_files(kernel: &Kernel) -> Result<Reading, Unknown> {
    count_open_files(kernel).or_else(full_without_files)
}

/// If the process may open no more files, it cannot count them: it has reached its limit.
fn full_without_files(unknown: Unknown) -> Result<Reading, Unknown> {
    if unknown.is_without_files() {
        return Ok(Reading { ratio: Some(("used", 1.0)), values: Vec::new() });
    }
    Err(unknown)
}

fn count_open_files(kernel: &Kernel) -> Result<Reading, Unknown> {
    let path = "proc/self/limits";
    let text = kernel.read(path)?;
    let limit = word_after(&text, "Max open files").ok_or_else(|| Unknown::format(path))?;
    // One of them is the directory itself.
    let open = kernel.count("proc/self/fd")?.saturating_sub(1) as u64;
    let open_value = ("open", open as f64, Unit::Count);
    if limit == "unlimited" {
        return Ok(Reading { ratio: None, values: vec![open_value] });
    }
    let limit = limit.parse().map_err(|_| Unknown::format(path))?;
    let used = Used { used: open, limit };
    Ok(Reading {
        ratio: Some(("used", used.ratio())),
        values: vec![open_value, ("limit", limit as f64, Unit::Count)],
    })
}

fn read_threads(kernel: &Kernel) -> Result<Reading, Unknown> {
    let path = "proc/self/status";
    let threads = number_after(&kernel.read(path)?, "Threads");
    let threads = threads.ok_or_else(|| Unknown::format(path))?;
    let limited = Cgroups::of(kernel, "pids")?.fullest(kernel, "pids.max", |directory| {
        cgroup::number(kernel, &format!("{directory}/pids.current"))
    })?;
    let mut values = vec![("threads", threads as f64, Unit::Count)];
    if let Some(Used { used, limit }) = limited {
        values.push(("tasks", used as f64, Unit::Count));
        values.push(("limit", limit as f64, Unit::Count));
    }
    Ok(Reading { ratio: limited.map(|used| ("used", used.ratio())), values })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::io;
    use std::process::Command;

    use health_core::{Report, Unit};

    use super::{full_without_files, open_files, threads};
    use crate::kernel::Unknown;
    use crate::usage::fake::{Files, value};

    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
                          Max processes             96365                96365                processes \n\
                          Max open files            10                   20                   files     \n";

    #[test]
    fn a_process_that_may_open_no_file_to_count_them_has_used_them_all() {
        let unknown =
            |number| Unknown::of("proc/self/limits", &io::Error::from_raw_os_error(number));
        let (too_many, denied) = (24, 13);
        let reading = full_without_files(unknown(too_many)).unwrap();
        assert_eq!(reading.ratio, Some(("used", 1.0)));
        assert!(full_without_files(unknown(denied)).is_err());
    }

    /// In a separate process, because other tests need files.
    #[test]
    fn a_process_at_its_limit_of_open_files_fails() {
        const CHILD: &str = "HEALTH_TEST_WITHOUT_FILES";
        if std::env::var_os(CHILD).is_none() {
            let name = "process::tests::a_process_at_its_limit_of_open_files_fails";
            let output = Command::new("sh")
                .args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""])
                .arg(std::env::current_exe().unwrap())
                .args(["--exact", name, "--test-threads=1"])
                .env(CHILD, "")
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && text.contains("1 passed"), "{text}");
            return;
        }
        let mut kept = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            kept.push(file);
        }
        let result = open_files().failing_above(0.95).result();
        drop(kept);
        let report = Report::of("files", result);
        assert_eq!((report.status().as_str(), report.reason()), ("ERROR", Some("above_limit")));
    }

    #[test]
    fn the_default_gives_way_to_a_lower_limit_for_an_error() {
        let files = with_open_files(6, LIMITS);
        assert_eq!(files.report(open_files().failing_above(0.5)).reason(), Some("above_limit"));
        let contradiction = open_files().degraded_above(0.6).failing_above(0.5);
        assert_eq!(files.report(contradiction).reason(), Some("misconfigured"));
    }

    fn with_open_files(number: usize, limits: &str) -> Files {
        let files = Files::new(&[("proc/self/limits", limits)]);
        for at in 0..=number {
            files.write(&format!("proc/self/fd/{at}"), "");
        }
        files
    }

    #[test]
    fn open_files_count_against_the_soft_limit() {
        let report = with_open_files(8, LIMITS).report(open_files());
        assert_eq!(report.status().as_str(), "OK");
        assert_eq!(value(&report, "open", Unit::Count), Some(8.0));
        assert_eq!(value(&report, "limit", Unit::Count), Some(10.0));
        let report = with_open_files(9, LIMITS).report(open_files());
        assert_eq!((report.status().as_str(), report.reason()), ("DEGRADED", Some("above_limit")));
        let unlimited = LIMITS.replace("10    ", "unlimited");
        let report = with_open_files(9, &unlimited).report(open_files());
        assert_eq!(report.status().as_str(), "OK");
        assert_eq!(value(&report, "used", Unit::Ratio), None);
    }

    #[test]
    fn open_files_of_another_format_are_unsupported() {
        for limits in ["", "Max open files", "Max open files many", "Max open files -1 2 files"] {
            let report = with_open_files(1, limits).report(open_files());
            assert_eq!(report.reason(), Some("unsupported"), "{limits:?}");
        }
    }

    #[test]
    fn the_files_of_this_process_are_counted() {
        let count = || {
            let report = Report::of("files", open_files().degraded_above(1.0).result());
            assert_eq!(report.status().as_str(), "OK");
            value(&report, "open", Unit::Count).unwrap()
        };
        let _kept: Vec<_> = (0..500).map(|_| File::open("/dev/null").unwrap()).collect();
        // Other tests open and close a few at the same time.
        assert!(count() >= 500.0);
    }

    #[test]
    fn tasks_count_against_the_fullest_cgroup() {
        let files = Files::new(&[
            ("proc/self/status", "Name:\tshop\nThreads:\t17\nSigQ:\t0/96365\n"),
            ("proc/self/cgroup", "0::/shop/web\n"),
            ("sys/fs/cgroup/shop/web/pids.max", "max\n"),
            ("sys/fs/cgroup/shop/web/pids.current", "80\n"),
        ]);
        let report = files.report(threads());
        assert_eq!(report.status().as_str(), "OK");
        assert_eq!(value(&report, "threads", Unit::Count), Some(17.0));
        assert_eq!(value(&report, "tasks", Unit::Count), None);
        files.write("sys/fs/cgroup/shop/pids.max", "100\n");
        files.write("sys/fs/cgroup/shop/pids.current", "81\n");
        let report = files.report(threads());
        assert_eq!((report.status().as_str(), report.reason()), ("DEGRADED", Some("above_limit")));
        assert_eq!(value(&report, "tasks", Unit::Count), Some(81.0));
        assert_eq!(files.judged(threads().failing_above(0.805)).0, "ERROR");
        files.write("sys/fs/cgroup/shop/web/pids.max", "");
        assert_eq!(files.judged(threads()), ("DEGRADED", Some("unsupported".to_owned())));
        // Version 1.
        files.write("proc/self/cgroup", "8:pids:/shop\n4:memory:/\n");
        files.write("sys/fs/cgroup/pids/shop/pids.max", "100\n");
        files.write("sys/fs/cgroup/pids/shop/pids.current", "79\n");
        assert_eq!(value(&files.report(threads()), "tasks", Unit::Count), Some(79.0));
    }

    #[test]
    fn the_threads_of_this_process_are_counted() {
        let report = Report::of("threads", threads().degraded_above(1.0).result());
        assert_eq!(report.status().as_str(), "OK", "{:?}", report.message());
        assert!(value(&report, "threads", Unit::Count).unwrap() >= 1.0);
    }

    #[test]
    fn threads_without_their_number_are_unsupported() {
        for status in ["", "Threads:", "Threads:\tmany\n", "threads:\t1\n"] {
            let files = Files::new(&[("proc/self/status", status)]);
            assert_eq!(files.report(threads()).reason(), Some("unsupported"), "{status:?}");
        }
    }
}
