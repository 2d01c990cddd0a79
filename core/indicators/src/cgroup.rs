//! The cgroups of this process, of version 2.

use std::cmp::Ordering;

use crate::kernel::{Kernel, Unknown};

/// What a cgroup and its descendants use, and may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Used {
    pub(crate) used: u64,
    pub(crate) limit: u64,
}

impl Used {
    pub(crate) fn ratio(self) -> f64 {
        match self.limit {
            0 => 1.0,
            limit => self.used as f64 / limit as f64,
        }
    }
}

/// The directories of the cgroup of this process and of those that contain it, from the inside out. There are none on a
/// kernel without cgroups, or where they are not mounted.
///
/// In a container, the outermost is that of the container.
pub(crate) fn directories(kernel: &Kernel, controller: &str) -> Result<Vec<String>, Unknown> {
    let Some(text) = kernel.find("proc/self/cgroup")? else { return Ok(Vec::new()) };
    if is_version_1(&text, controller) {
        return Err(Unknown::new(format!("the controller {controller} is that of cgroup v1")));
    }
    let path = path(&text).ok_or_else(|| Unknown::format("proc/self/cgroup"))?;
    let mut directories = vec!["sys/fs/cgroup".to_owned()];
    // Of a process that was moved out of the namespace of its cgroup, the path begins with `/..`.
    if !path.split('/').any(|part| part == "..") {
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let outer = directories.last().map(String::as_str).unwrap_or_default();
            directories.push(format!("{outer}/{part}"));
        }
    }
    directories.reverse();
    Ok(directories)
}

/// The fullest of the cgroups that have a limit. `used` says what a directory uses.
pub(crate) fn fullest(
    kernel: &Kernel,
    controller: &str,
    limit_file: &str,
    used: impl Fn(&str) -> Result<u64, Unknown>,
) -> Result<Option<Used>, Unknown> {
    let mut limited = Vec::new();
    for directory in directories(kernel, controller)? {
        let path = format!("{directory}/{limit_file}");
        // The outermost has no limit and no such file, unless it is that of a container.
        let Some(text) = kernel.find(&path)? else { continue };
        if text.trim() != "max" {
            let limit = text.trim().parse().map_err(|_| Unknown::format(&path))?;
            limited.push(Used { used: used(&directory)?, limit });
        }
    }
    let by_ratio =
        |a: &Used, b: &Used| a.ratio().partial_cmp(&b.ratio()).unwrap_or(Ordering::Equal);
    Ok(limited.into_iter().max_by(by_ratio))
}

/// The number in a file.
pub(crate) fn number(kernel: &Kernel, path: &str) -> Result<u64, Unknown> {
    kernel.read(path)?.trim().parse().map_err(|_| Unknown::format(path))
}

/// The path in the tree of version 2, of a text such as `0::/system.slice/shop.service`.
fn path(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::")).filter(|path| path.starts_with('/'))
}

/// Whether the controller belongs to version 1, as in `4:memory:/shop`.
fn is_version_1(text: &str, controller: &str) -> bool {
    text.lines().any(|line| {
        let controllers = line.split(':').nth(1).unwrap_or_default();
        controllers.split(',').any(|name| name == controller)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{directories, is_version_1, path};
    use crate::kernel::Kernel;

    #[test]
    fn the_path_is_that_of_version_2() {
        for (text, expected) in [
            ("0::/\n", Some("/")),
            ("0::/system.slice/a:b.service\n", Some("/system.slice/a:b.service")),
            ("4:memory:/a\n1:name=systemd:/b\n0::/c\n", Some("/c")),
            ("4:memory:/a\n", None),
            ("0::", None),
            ("0::relative", None),
            ("", None),
            ("::::\n\n0:", None),
        ] {
            assert_eq!(path(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_controller_of_version_1_is_found() {
        let hybrid = "9:name=systemd:/\n3:cpu,memory:/a\n0::/\n";
        assert!(is_version_1(hybrid, "memory"));
        assert!(!is_version_1(hybrid, "mem"));
        assert!(!is_version_1("0::/memory\n", "memory"));
    }

    #[test]
    fn the_directories_are_those_that_contain_the_process() {
        let root = tempfile::tempdir().unwrap();
        let kernel = Kernel::at(root.path());
        let found = |text: &str| {
            fs::write(root.path().join("proc/self/cgroup"), text).unwrap();
            directories(&kernel, "memory").ok()
        };
        assert_eq!(directories(&kernel, "memory").unwrap(), [""; 0]);
        fs::create_dir_all(root.path().join("proc/self")).unwrap();
        let root_only = Some(vec!["sys/fs/cgroup".to_owned()]);
        assert_eq!(found("0::/\n"), root_only);
        assert_eq!(found("0::/../../etc\n"), root_only);
        let all = ["sys/fs/cgroup/a/b", "sys/fs/cgroup/a", "sys/fs/cgroup"].map(str::to_owned);
        assert_eq!(found("0::/a/b\n"), Some(all.to_vec()));
        assert_eq!(found("2:memory:/a\n0::/\n"), None);
        assert_eq!(found("nonsense"), None);
    }
}
