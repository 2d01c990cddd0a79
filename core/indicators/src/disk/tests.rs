use std::io;
use std::path::Path;

use health_core::{Report, Unit};

use super::space::{FileSystem, look};
use super::{Disk, disk};

const GB: f64 = 1e9;
/// A disk of 100 GB, half of which is free.
const HALF: FileSystem = FileSystem {
    device: 1,
    size: 100.0 * GB,
    free: 50.0 * GB,
    inodes: Some((1000.0, 500.0)),
    is_read_only: false,
};

fn report(disk: &Disk, look: impl Fn(&Path) -> io::Result<FileSystem>) -> Report {
    Report::of("disk", disk.result(look))
}

fn status(disk: &Disk, found: FileSystem) -> &'static str {
    report(disk, |_| Ok(found)).status().as_str()
}

fn value(report: &Report, name: &str, unit: Unit) -> Option<f64> {
    let mut values = report.values().iter();
    values.find(|value| (value.name(), value.unit()) == (name, unit)).map(|value| value.number())
}

#[test]
fn by_default_10_gb_or_10_percent_have_to_be_free() {
    let with = |size: f64, free: f64| FileSystem { size: size * GB, free: free * GB, ..HALF };
    for (found, expected) in [
        (with(1000.0, 10.5), "OK"),
        (with(1000.0, 9.5), "DEGRADED"),
        (with(1000.0, 1.5), "DEGRADED"),
        (with(1000.0, 0.5), "ERROR"),
        (with(10.0, 1.5), "OK"),
        (with(10.0, 0.9), "DEGRADED"),
        (with(10.0, 0.1), "ERROR"),
        (with(0.001, 0.0005), "OK"),
        (with(0.001, 0.0), "ERROR"),
    ] {
        assert_eq!(status(&disk("/"), found), expected, "{found:?}");
    }
}

#[test]
fn inodes_count_unless_the_file_system_has_no_limit() {
    let with = |free| FileSystem { inodes: Some((1000.0, free)), ..HALF };
    assert_eq!(status(&disk("/"), with(50.0)), "OK");
    assert_eq!(status(&disk("/"), with(49.0)), "DEGRADED");
    assert_eq!(status(&disk("/"), with(9.0)), "ERROR");
    assert_eq!(status(&disk("/").failing_below_inodes(0.2), with(199.0)), "ERROR");
    assert_eq!(status(&disk("/").degraded_below_inodes(0.0), with(20.0)), "OK");
    let btrfs = FileSystem { inodes: None, ..HALF };
    let report = report(&disk("/"), |_| Ok(btrfs));
    assert_eq!(report.status().as_str(), "OK");
    assert_eq!(value(&report, "free_inodes", Unit::Ratio), None);
}

#[test]
fn of_space_and_inodes_the_one_that_fails_is_reported() {
    let found = FileSystem { free: 5.0 * GB, inodes: Some((1000.0, 9.0)), ..HALF };
    let report = report(&disk("/"), |_| Ok(found));
    assert_eq!(report.status().as_str(), "ERROR");
    assert_eq!(report.message(), Some("/: free_inodes is 0.9 %, below the limit of 1.0 %"));
}

#[test]
fn limits_are_bytes_or_ratios_and_a_default_gives_way() {
    for (disk, expected) in [
        (disk("/").degraded_below_bytes(60_000_000_000), "DEGRADED"),
        (disk("/").degraded_below_bytes(50_000_000_000), "OK"),
        (disk("/").failing_below_bytes(60_000_000_000), "ERROR"),
        (disk("/").degraded_below(0.6), "DEGRADED"),
        (disk("/").failing_below(0.6), "ERROR"),
        (disk("/").degraded_below(0.8).failing_below(0.6), "ERROR"),
        (disk("/").degraded_below_bytes(0), "OK"),
        (disk("/").degraded_below(1.0).failing_below(0.0), "DEGRADED"),
    ] {
        let report = report(&disk, |_| Ok(HALF));
        assert_eq!(report.status().as_str(), expected, "{disk:?}");
        assert_ne!(report.reason(), Some("misconfigured"), "{disk:?}");
    }
    let full = FileSystem { free: 0.0, ..HALF };
    assert_eq!(status(&disk("/").degraded_below(0.0).failing_below(0.0), full), "OK");
    assert_eq!(status(&disk("/").degraded_below(0.0), full), "OK");
}

#[test]
fn limits_that_do_not_fit_are_misconfigured() {
    for disk in [
        disk("/").degraded_below_bytes(100_000_000_001),
        disk("/").failing_below_bytes(u64::MAX),
        disk("/").degraded_below(1.1),
        disk("/").failing_below(-0.1),
        disk("/").failing_below(f64::NAN),
        disk("/").degraded_below(0.1).failing_below(0.2),
        disk("/").degraded_below(0.1).failing_below_bytes(20_000_000_000),
        disk("/").failing_below_inodes(5.0),
    ] {
        let report = report(&disk, |_| Ok(HALF));
        assert_eq!(report.reason(), Some("misconfigured"), "{disk:?}");
    }
    let none = FileSystem { size: 0.0, free: 0.0, ..HALF };
    assert_eq!(report(&disk("/proc"), |_| Ok(none)).reason(), Some("misconfigured"));
}

#[test]
fn a_file_system_that_is_read_only_is_an_error() {
    let report = report(&disk("/data"), |_| Ok(FileSystem { is_read_only: true, ..HALF }));
    assert_eq!((report.status().as_str(), report.reason()), ("ERROR", Some("read_only")));
    assert_eq!(report.message(), Some("/data: the file system is read-only"));
}

#[test]
fn the_worst_path_counts_and_a_device_once() {
    let disk = disk("/a").path("/b").path("/c");
    let looks = std::cell::Cell::new(0);
    let found = |path: &Path| {
        looks.set(looks.get() + 1);
        Ok(match path.to_str() {
            Some("/a") => HALF,
            Some("/b") => FileSystem { device: 2, free: 5.0 * GB, ..HALF },
            _ => FileSystem { device: 1, free: 0.0, ..HALF },
        })
    };
    let worst = report(&disk, found);
    assert_eq!(looks.get(), 3);
    assert_eq!(worst.status().as_str(), "DEGRADED");
    assert_eq!(worst.message(), Some("/b: free is 5.0 GB, below the limit of 10.0 GB"));
    assert_eq!(value(&worst, "free", Unit::Bytes), Some(5.0 * GB));
    assert_eq!(value(&worst, "free", Unit::Ratio), Some(0.05));

    let gone = |path: &Path| match path.to_str() {
        Some("/b") => Err(io::ErrorKind::NotFound.into()),
        _ => Ok(HALF),
    };
    assert_eq!(report(&disk, gone).reason(), Some("missing"));

    let is_read_only = |path: &Path| Ok(FileSystem { is_read_only: path.ends_with("c"), ..HALF });
    assert_eq!(report(&disk, is_read_only).reason(), Some("read_only"));
}

#[test]
fn of_paths_that_are_ok_the_fullest_is_shown() {
    let disk = disk("/a").path("/b").path("/c");
    let found = |path: &Path| {
        let (device, free) = match path.to_str() {
            Some("/a") => (1, 60.0),
            Some("/b") => (2, 40.0),
            _ => (3, 50.0),
        };
        Ok(FileSystem { device, free: free * GB, ..HALF })
    };
    assert_eq!(value(&report(&disk, found), "free", Unit::Ratio), Some(0.4));
}

#[test]
fn a_system_that_does_not_tell_is_degraded() {
    let unsupported = report(&disk("/"), |_| Err(io::ErrorKind::Unsupported.into()));
    let judged = (unsupported.status().as_str(), unsupported.reason());
    assert_eq!(judged, ("DEGRADED", Some("unsupported")));
}

#[cfg(unix)]
#[test]
fn what_root_alone_may_use_does_not_count_and_no_number_overflows() {
    let directory = tempfile::tempdir().unwrap();
    let mut kernel = rustix::fs::statvfs(directory.path()).unwrap();
    (kernel.f_frsize, kernel.f_blocks, kernel.f_bfree, kernel.f_bavail) = (4096, 100, 30, 10);
    kernel.f_files = 0;
    let found = FileSystem::of(1, &kernel);
    assert_eq!((found.size, found.free), (80.0 * 4096.0, 10.0 * 4096.0));
    assert_eq!(found.inodes, None);
    (kernel.f_frsize, kernel.f_blocks, kernel.f_bfree) = (u64::MAX, 0, u64::MAX);
    (kernel.f_bavail, kernel.f_files, kernel.f_favail) = (u64::MAX, 1, u64::MAX);
    let found = FileSystem::of(1, &kernel);
    assert_eq!(found.inodes, Some((1.0, 1.0)));
    assert!((found.free / found.size).is_finite());
}

#[cfg(unix)]
#[test]
fn a_real_disk_has_what_df_says() {
    let directory = tempfile::tempdir().unwrap();
    let found = look(directory.path()).unwrap();
    let df =
        std::process::Command::new("df").args(["-P", "-k"]).arg(directory.path()).output().unwrap();
    let df = String::from_utf8(df.stdout).unwrap();
    let columns: Vec<_> = df.lines().nth(1).unwrap().split_ascii_whitespace().collect();
    let [used, available] =
        [columns[2], columns[3]].map(|kib| kib.parse::<f64>().unwrap() * 1024.0);
    // Others write at the same time.
    let is_close = |a: f64, b: f64| (a - b).abs() < 5.0 * GB;
    assert!(is_close(found.free, available), "{found:?} {df}");
    assert!(is_close(found.size, used + available), "{found:?} {df}");
    assert!(!found.is_read_only);
}

#[cfg(unix)]
#[test]
fn a_directory_that_disappears_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let disk = disk(directory.path()).degraded_below(0.0).failing_below(0.0);
    assert_eq!(report(&disk, look).status().as_str(), "OK");
    directory.close().unwrap();
    let report = report(&disk, look);
    assert_eq!(report.reason(), Some("missing"));
    assert!(report.message().unwrap().contains("No such file"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_system_without_a_size_is_misconfigured_and_a_read_only_one_is_told() {
    assert_eq!(report(&disk("/proc"), look).reason(), Some("misconfigured"));
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    for line in mounts.lines() {
        let words: Vec<_> = line.split(' ').collect();
        // Others can hang.
        if !["cgroup", "cgroup2", "devpts", "ext4", "overlay", "proc", "sysfs", "tmpfs"]
            .contains(&words[2])
        {
            continue;
        }
        let Ok(found) = look(Path::new(words[1])) else { continue };
        let is_read_only = words[3].split(',').any(|option| option == "ro");
        // A mount can be hidden by a later one at the same path.
        let is_hidden =
            mounts.lines().filter(|other| other.split(' ').nth(1) == Some(words[1])).count() > 1;
        assert!(is_hidden || found.is_read_only == is_read_only, "{line}: {found:?}");
    }
}
