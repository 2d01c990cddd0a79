//! Memory, and the time that is lost for want of it.

use health_core::Unit;

use crate::Class;
use crate::cgroup::{self, Cgroups, Used, Version};
use crate::kernel::{Kernel, Unknown, number_after};
use crate::usage::{Reading, Usage};

/// The memory of the cgroup of this process, such as of its container, against its limit.
///
/// What counts is what the kernel cannot take back at once: `memory.current` without `inactive_file`, as the kubelet
/// counts. Of the cgroup and those that contain it, the fullest counts. If none has a limit below the memory of the host, what counts
/// is the host: `MemTotal` without `MemAvailable`.
///
/// | | |
/// |---|---|
/// | class | local |
/// | timeout | that of the check |
/// | default | degraded above 90 % |
/// | reasons | `above_limit`, `misconfigured`; `unsupported`, `unauthorized` and `saturated` (the process may open no more files), which are degraded |
/// | values | `used` as a ratio and in bytes, `limit` in bytes |
/// | needs | Linux |
/// | does not prove | that this process uses the memory: others in its cgroup may |
pub fn memory() -> Usage {
    Usage::new(read_memory, 0.9, Class::Local)
}

/// The part of the last minute in which all tasks of the cgroup of this process waited for memory at the same time: the line
/// `full` of `memory.pressure`.
///
/// It is that of the cgroup, because a host on which a neighbour waits is no reason to restart or to drain this
/// process. It is `full` and not `some`, because one task that waits, such as a backup, delays no other.
///
/// | | |
/// |---|---|
/// | class | local |
/// | timeout | that of the check |
/// | default | degraded above 10 % |
/// | reasons | `above_limit`, `misconfigured`; `unsupported`, `unauthorized` and `saturated` (the process may open no more files), which are degraded |
/// | values | `stalled`: the ratio of the last minute; `stalled_10s`: that of the last 10 seconds |
/// | needs | Linux, with version 2 of cgroups and pressure stall information |
/// | does not prove | that there is memory left |
pub fn memory_pressure() -> Usage {
    Usage::new(read_pressure, 0.1, Class::Local)
}

fn read_memory(kernel: &Kernel) -> Result<Reading, Unknown> {
    let host = host(kernel)?;
    let cgroups = Cgroups::of(kernel, "memory")?;
    let (current, limit, inactive) = match cgroups.version {
        Version::One => ("memory.usage_in_bytes", "memory.limit_in_bytes", "total_inactive_file"),
        Version::Two => ("memory.current", "memory.max", "inactive_file"),
    };
    let limited = cgroups.fullest(kernel, limit, |directory| {
        let current = cgroup::number(kernel, &format!("{directory}/{current}"))?;
        let path = format!("{directory}/memory.stat");
        let inactive = number_after(&kernel.read(&path)?, inactive);
        Ok(current.saturating_sub(inactive.ok_or_else(|| Unknown::format(&path))?))
    })?;
    // Version 1 writes a number near the highest for no limit.
    let used = limited.filter(|limited| limited.limit < host.limit).unwrap_or(host);
    Ok(Reading {
        ratio: Some(("used", used.ratio())),
        values: vec![
            ("used", used.used as f64, Unit::Bytes),
            ("limit", used.limit as f64, Unit::Bytes),
        ],
    })
}

/// The memory of the host.
fn host(kernel: &Kernel) -> Result<Used, Unknown> {
    let path = "proc/meminfo";
    let text = kernel.read(path)?;
    // In kB, which are 1,024 bytes.
    let bytes = |key| number_after(&text, key).and_then(|number| number.checked_mul(1024));
    let (total, available) =
        bytes("MemTotal").zip(bytes("MemAvailable")).ok_or_else(|| Unknown::format(path))?;
    Ok(Used { used: total.saturating_sub(available), limit: total })
}

fn read_pressure(kernel: &Kernel) -> Result<Reading, Unknown> {
    let cgroups = Cgroups::of(kernel, "memory")?;
    let own = match (cgroups.version, cgroups.directories.first()) {
        (Version::Two, Some(own)) => own,
        _ => return Err(Unknown::new("only cgroups of version 2 tell their pressure")),
    };
    let path = format!("{own}/memory.pressure");
    let text = kernel.read(&path)?;
    let full = |key| average(&text, key).ok_or_else(|| Unknown::format(&path));
    Ok(Reading {
        ratio: Some(("stalled", full("avg60=")?)),
        values: vec![("stalled_10s", full("avg10=")?, Unit::Ratio)],
    })
}

/// The ratio of `full avg10=0.00 avg60=12.34 …`, whose numbers are percent.
fn average(text: &str, key: &str) -> Option<f64> {
    let full = text.lines().find_map(|line| line.strip_prefix("full "))?;
    let percent = full.split_ascii_whitespace().find_map(|word| word.strip_prefix(key))?;
    let ratio = percent.parse::<f64>().ok()? / 100.0;
    (0.0..=1.0).contains(&ratio).then_some(ratio)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use health_core::{Report, Unit};

    use super::{average, memory, memory_pressure};
    use crate::usage::fake::{Files, value};

    const MEMINFO: &str = "MemTotal:       24684092 kB\nMemFree:        11894100 kB\nMemAvailable:   21302036 kB\n\
                           Buffers:          219668 kB\n";
    const STAT: &str = "anon 1048576\nfile 300\nkernel 10\ninactive_anon 1\nactive_anon 2\ninactive_file 200\n\
                        active_file 100\n";
    const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

    fn in_cgroup(current: &str, max: &str) -> Files {
        Files::new(&[
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "0::/shop/web\n"),
            ("sys/fs/cgroup/shop/web/memory.current", current),
            ("sys/fs/cgroup/shop/web/memory.max", max),
            ("sys/fs/cgroup/shop/web/memory.stat", STAT),
        ])
    }

    #[test]
    fn page_cache_that_the_kernel_can_take_back_does_not_count() {
        let report = in_cgroup("1000\n", "1000\n").report(memory());
        assert_eq!(report.status().as_str(), "OK");
        assert_eq!(value(&report, "used", Unit::Ratio), Some(0.8));
        assert_eq!(value(&report, "used", Unit::Bytes), Some(800.0));
        assert_eq!(value(&report, "limit", Unit::Bytes), Some(1000.0));
    }

    #[test]
    fn a_cgroup_that_is_almost_full_is_degraded_and_fails_only_if_told_so() {
        let files = in_cgroup("1160\n", "1000\n");
        let report = files.report(memory());
        assert_eq!((report.status().as_str(), report.reason()), ("DEGRADED", Some("above_limit")));
        assert_eq!(report.message(), Some("used is 96.0 %, above the limit of 90.0 %"));
        assert_eq!(files.report(memory().failing_above(0.95)).status().as_str(), "ERROR");
        assert_eq!(files.report(memory().degraded_above(0.97)).status().as_str(), "OK");
    }

    #[test]
    fn the_fullest_of_the_cgroups_around_the_process_counts() {
        let files = in_cgroup("1000\n", "max\n");
        files.write("sys/fs/cgroup/shop/memory.max", "4000");
        files.write("sys/fs/cgroup/shop/memory.current", "4100");
        files.write("sys/fs/cgroup/shop/memory.stat", STAT);
        assert_eq!(value(&files.report(memory()), "limit", Unit::Bytes), Some(4000.0));
        files.write("sys/fs/cgroup/shop/web/memory.max", "1100");
        assert_eq!(value(&files.report(memory()), "limit", Unit::Bytes), Some(4000.0));
        files.write("sys/fs/cgroup/shop/web/memory.max", "810");
        assert_eq!(value(&files.report(memory()), "limit", Unit::Bytes), Some(810.0));
    }

    #[test]
    fn in_a_container_the_limit_is_at_the_root() {
        let files = Files::new(&[
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.current", "500\n"),
            ("sys/fs/cgroup/memory.max", "1000\n"),
            ("sys/fs/cgroup/memory.stat", STAT),
        ]);
        assert_eq!(value(&files.report(memory()), "used", Unit::Ratio), Some(0.3));
    }

    #[test]
    fn version_1_has_other_names_and_in_a_container_the_paths_of_the_host() {
        let files = Files::new(&[
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "4:memory:/docker/0123\n0::/\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "1200\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n"),
            ("sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 250\n"),
        ]);
        let report = files.report(memory());
        assert_eq!((report.status().as_str(), report.reason()), ("DEGRADED", Some("above_limit")));
        assert_eq!(value(&report, "used", Unit::Bytes), Some(950.0));
        assert_eq!(files.report(memory_pressure()).reason(), Some("unsupported"));
        files.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(files.report(memory()).status().as_str(), "OK");
    }

    #[test]
    fn this_kernel_tells_the_memory() {
        let report = Report::of("memory", memory().degraded_above(1.0).result());
        let used = value(&report, "used", Unit::Bytes);
        assert!(used.is_some_and(|used| used > 0.0), "{report:?}: {:?}", report.message());
    }

    #[test]
    fn without_a_limit_below_the_memory_of_the_host_the_host_counts() {
        let total = 24_684_092.0 * 1024.0;
        for files in [
            in_cgroup("1000\n", "max\n"),
            in_cgroup("1000\n", "30000000000000\n"),
            Files::new(&[("proc/meminfo", MEMINFO)]),
            Files::new(&[("proc/meminfo", MEMINFO), ("proc/self/cgroup", "0::/\n")]),
        ] {
            let report = files.report(memory());
            assert_eq!(report.status().as_str(), "OK", "{report:?}");
            assert_eq!(value(&report, "limit", Unit::Bytes), Some(total));
            let used = value(&report, "used", Unit::Bytes).unwrap();
            assert!((3.0 * GIB..4.0 * GIB).contains(&used), "{used}");
        }
    }

    #[test]
    fn files_with_another_content_are_unsupported() {
        let unsupported = ("DEGRADED", Some("unsupported".to_owned()));
        for (path, text) in [
            ("proc/meminfo", ""),
            ("proc/meminfo", "MemTotal: 1 kB\n"),
            ("proc/meminfo", "MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB\n"),
            ("proc/self/cgroup", "\u{0}\u{0}"),
            ("sys/fs/cgroup/shop/web/memory.max", ""),
            ("sys/fs/cgroup/shop/web/memory.max", "-1"),
            ("sys/fs/cgroup/shop/web/memory.max", "1e9"),
            ("sys/fs/cgroup/shop/web/memory.current", "99999999999999999999999"),
            ("sys/fs/cgroup/shop/web/memory.stat", "inactive_fil"),
        ] {
            let files = in_cgroup("1000\n", "1000\n");
            files.write(path, text);
            assert_eq!(files.judged(memory()), unsupported, "{path}: {text:?}");
        }
        assert_eq!(Files::new(&[]).judged(memory()), unsupported);
    }

    #[test]
    fn a_limit_of_nothing_is_full_and_a_ratio_above_1_is_misconfigured() {
        let files = in_cgroup("0\n", "0\n");
        assert_eq!(files.judged(memory()).0, "DEGRADED");
        for usage in [
            memory().degraded_above(90.0),
            memory().failing_above(f64::NAN),
            memory().failing_above(-0.1),
        ] {
            assert_eq!(files.judged(usage), ("ERROR", Some("misconfigured".to_owned())));
        }
    }

    #[test]
    fn the_pressure_is_that_of_the_cgroup_in_which_all_tasks_waited() {
        let some = "some avg10=99.00 avg60=99.00 avg300=99.00 total=836864\n";
        let full =
            |avg60| format!("{some}full avg10=25.50 avg60={avg60} avg300=0.00 total=38217\n");
        let files = Files::new(&[
            ("proc/pressure/memory", &full("99.00")),
            ("proc/self/cgroup", "0::/shop\n"),
            ("sys/fs/cgroup/memory.pressure", &full("99.00")),
            ("sys/fs/cgroup/shop/memory.pressure", &full("9.99")),
        ]);
        let report = files.report(memory_pressure());
        assert_eq!(report.status().as_str(), "OK");
        assert_eq!(value(&report, "stalled", Unit::Ratio), Some(0.0999));
        assert_eq!(value(&report, "stalled_10s", Unit::Ratio), Some(0.255));
        files.write("sys/fs/cgroup/shop/memory.pressure", &full("10.01"));
        assert_eq!(files.report(memory_pressure()).reason(), Some("above_limit"));
        for text in [some, "", "full avg10=0.00 avg60=", "full avg60=1.0 avg10=inf"] {
            files.write("sys/fs/cgroup/shop/memory.pressure", text);
            assert_eq!(files.report(memory_pressure()).reason(), Some("unsupported"), "{text:?}");
        }
        assert_eq!(Files::new(&[]).report(memory_pressure()).reason(), Some("unsupported"));
    }

    #[test]
    fn averages_are_percent() {
        for (text, expected) in [
            ("full avg10=1.00 avg60=100.00", Some(1.0)),
            ("full avg60=0.00 ", Some(0.0)),
            ("full avg60=100.01", None),
            ("full avg60=-1", None),
            ("full avg60=NaN", None),
            ("full avg60", None),
            ("some avg60=1.00", None),
            ("fullavg60=1.00", None),
        ] {
            assert_eq!(average(text, "avg60="), expected, "{text:?}");
        }
    }
}
