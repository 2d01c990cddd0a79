//! The cgroups of this process.

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

/// The cgroup of this process, and those that contain it, for one controller.
#[derive(Debug, PartialEq)]
pub(crate) struct Cgroups {
    pub(crate) version: Version,
    /// From the inside out. There are none on a kernel without cgroups. In a container, the outermost is that of the
    /// container.
    pub(crate) directories: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Version {
    /// Each controller has a tree.
    One,
    Two,
}

impl Cgroups {
    /// Those of a controller, such as `memory`.
    pub(crate) fn of(kernel: &Kernel, controller: &str) -> Result<Self, Unknown> {
        let Some(text) = kernel.find("proc/self/cgroup")? else {
            return Ok(Self { version: Version::Two, directories: Vec::new() });
        };
        let root = "sys/fs/cgroup";
        let (version, root, path) = match path(&text, controller) {
            Some(path) => (Version::One, format!("{root}/{controller}"), path),
            None => {
                let path = path(&text, "").ok_or_else(|| Unknown::format("proc/self/cgroup"))?;
                (Version::Two, root.to_owned(), path)
            }
        };
        let mut directories = vec![root];
        // Of a process that was moved out of the namespace of its cgroup, the path begins with `/..`.
        if !path.split('/').any(|part| part == "..") {
            for part in path.split('/').filter(|part| !part.is_empty()) {
                let outer = directories.last().map(String::as_str).unwrap_or_default();
                directories.push(format!("{outer}/{part}"));
            }
        }
        directories.reverse();
        Ok(Self { version, directories })
    }

    /// The fullest of those that have a limit. `used` says what a directory uses.
    pub(crate) fn fullest(
        &self,
        kernel: &Kernel,
        limit_file: &str,
        used: impl Fn(&str) -> Result<u64, Unknown>,
    ) -> Result<Option<Used>, Unknown> {
        let mut limited = Vec::new();
        for directory in &self.directories {
            let path = format!("{directory}/{limit_file}");
            // The outermost of version 2 has no such file, unless it is that of a container. In a container with version 1,
            // the others are those of the host, and not there.
            let Some(text) = kernel.find(&path)? else { continue };
            if text.trim() != "max" {
                let limit = text.trim().parse().map_err(|_| Unknown::format(&path))?;
                limited.push(Used { used: used(directory)?, limit });
            }
        }
        let by_ratio =
            |a: &Used, b: &Used| a.ratio().partial_cmp(&b.ratio()).unwrap_or(Ordering::Equal);
        Ok(limited.into_iter().max_by(by_ratio))
    }
}

/// The number in a file.
pub(crate) fn number(kernel: &Kernel, path: &str) -> Result<u64, Unknown> {
    kernel.read(path)?.trim().parse().map_err(|_| Unknown::format(path))
}

/// The path in the tree of a controller of version 1, of a line such as `4:cpu,memory:/shop`. The controller of version 2 is
/// empty: `0::/shop`.
fn path<'a>(text: &'a str, controller: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let is_found = controllers.split(',').any(|name| name == controller);
        (is_found && path.starts_with('/')).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Cgroups, Version, path};
    use crate::kernel::Kernel;

    #[test]
    fn the_path_is_that_of_the_controller() {
        for (text, one, two) in [
            ("0::/\n", None, Some("/")),
            ("0::/system.slice/a:b.service\n", None, Some("/system.slice/a:b.service")),
            ("4:memory:/a\n1:name=systemd:/b\n0::/c\n", Some("/a"), Some("/c")),
            ("4:cpu,memory:/a\n", Some("/a"), None),
            ("4:memory2,mem:/a\n0::/memory\n", None, Some("/memory")),
            ("0::", None, None),
            ("0::relative", None, None),
            ("", None, None),
            ("memory:/a\n::::\n\n0:", None, None),
        ] {
            assert_eq!((path(text, "memory"), path(text, "")), (one, two), "{text:?}");
        }
    }

    #[test]
    fn the_directories_are_those_that_contain_the_process() {
        let root = tempfile::tempdir().unwrap();
        let kernel = Kernel::at(root.path());
        let found = |text: &str| {
            fs::write(root.path().join("proc/self/cgroup"), text).unwrap();
            Cgroups::of(&kernel, "memory").ok()
        };
        let cgroups = |version, directories: &[&str]| {
            let directories = directories.iter().map(|directory| directory.to_string()).collect();
            Some(Cgroups { version, directories })
        };
        assert_eq!(Cgroups::of(&kernel, "memory").ok(), cgroups(Version::Two, &[]));
        fs::create_dir_all(root.path().join("proc/self")).unwrap();
        let root_only = cgroups(Version::Two, &["sys/fs/cgroup"]);
        assert_eq!(found("0::/\n"), root_only);
        assert_eq!(found("0::/../../etc\n"), root_only);
        let all = ["sys/fs/cgroup/a/b", "sys/fs/cgroup/a", "sys/fs/cgroup"];
        assert_eq!(found("0::/a/b\n"), cgroups(Version::Two, &all));
        let all = ["sys/fs/cgroup/memory/a", "sys/fs/cgroup/memory"];
        assert_eq!(found("2:memory:/a\n0::/b\n"), cgroups(Version::One, &all));
        assert_eq!(found("nonsense"), None);
    }
}
