//! The mounts of a process, as listed by Linux.

use std::path::Path;

use super::Private;

/// File systems whose stat does not wait for another machine or process. All others count as slow.
const LOCAL: [&str; 15] = [
    "bcachefs", "btrfs", "devtmpfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay",
    "ramfs", "squashfs", "tmpfs", "xfs", "zfs",
];

/// One line of `/proc/self/mountinfo` (proc(5)).
struct Mount<'a> {
    /// The directory of the file system that is mounted.
    root: String,
    /// The mount point.
    point: String,
    kind: &'a str,
}

/// A mount over another comes after it. Lines that cannot be parsed are skipped.
fn mounts(text: &str) -> impl Iterator<Item = Mount<'_>> {
    text.lines().filter_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3);
        Some(Mount {
            root: unescaped(fields.next()?),
            point: unescaped(fields.next()?),
            kind: file_system.split(' ').next()?,
        })
    })
}

/// Whether the mount of `directory` and all mounts above it are local, according to the text of `/proc/self/mountinfo`.
/// Mounts that are hidden by another mount count too.
pub(super) fn is_on_local_mounts(directory: &Path, text: &str) -> bool {
    let mut above = mounts(text).filter(|mount| directory.starts_with(&mount.point)).peekable();
    above.peek().is_some() && above.all(|mount| LOCAL.contains(&mount.kind))
}

/// The directories for temporary files that systemd and container runtimes give each service or container.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

/// The files that container runtimes mount into each container.
const OF_CONTAINERS: [&str; 2] = ["/etc/hostname", "/etc/hosts"];

/// Whether `directory` is one for temporary files that no process outside of the service or container sees, by the text of
/// `/proc/self/mountinfo`. A volume of a container, such as a directory of the host, is not counted as private.
pub(super) fn private(directory: &Path, text: &str) -> Option<Private> {
    if !TEMPORARY.iter().any(|temporary| directory == Path::new(temporary)) {
        return None;
    }
    let above = mounts(text).filter(|mount| directory.starts_with(&mount.point));
    // If several are equally long, the last one is mounted over the others.
    let nearest = above.max_by_key(|mount| mount.point.len())?;
    if nearest.root.contains("/systemd-private-") {
        return Some(Private::Service);
    }
    let is_mounted = |file: &str| mounts(text).any(|mount| mount.point == file);
    let is_container = OF_CONTAINERS.into_iter().all(is_mounted);
    (is_container && nearest.point == "/").then_some(Private::Container)
}

/// Space, tab, line feed and backslash are written as octal escapes.
fn unescaped(point: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    let replace = |text: String, (escape, plain): (&str, &str)| text.replace(escape, plain);
    escapes.into_iter().fold(point.to_owned(), replace)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Private, is_on_local_mounts, private};

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /run rw,nosuid - tmpfs tmpfs rw
24 22 0:40 / /srv rw,relatime shared:9 - nfs4 server:/export rw
25 24 0:41 / /srv/local rw - xfs /dev/sdb1 rw
26 22 0:42 / /mnt/two\\040words rw - fuse.sshfs host: rw
27 22 8:2 / /over rw - ext4 /dev/sda2 rw
28 27 0:43 / /over rw - cifs //server/share rw
";

    #[test]
    fn a_directory_is_local_if_every_mount_on_the_way_to_it_is() {
        let is_local = |directory| is_on_local_mounts(Path::new(directory), MOUNTS);
        assert!(is_local("/var/lib"));
        assert!(is_local("/run/shop"));
        assert!(is_local("/srv-of-another-name"));
        for remote in ["/srv", "/srv/shop", "/srv/local", "/mnt/two words/x", "/over", "/over/x"] {
            assert!(!is_local(remote), "{remote}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_trusted() {
        for mounts in ["", "nonsense", "22 1 8:1 / / rw,relatime", " - ext4"] {
            assert!(!is_on_local_mounts(Path::new("/"), mounts), "{mounts:?}");
        }
    }

    fn of_tmp(mounts: &str) -> Option<Private> {
        private(Path::new("/tmp"), mounts)
    }

    #[test]
    fn a_tmp_of_systemd_is_private_to_the_service() {
        let on_root = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
90 22 8:1 /tmp/systemd-private-1f-shop.service-x/tmp /tmp rw,relatime shared:2 master:1 - ext4 /dev/sda1 rw
91 22 8:1 /var/tmp/systemd-private-1f-shop.service-y/tmp /var/tmp rw,relatime - ext4 /dev/sda1 rw
";
        assert_eq!(of_tmp(on_root), Some(Private::Service));
        assert_eq!(private(Path::new("/var/tmp"), on_root), Some(Private::Service));
        for elsewhere in ["/run/shop", "/tmp/shop", "/", "/var"] {
            assert_eq!(private(Path::new(elsewhere), on_root), None, "{elsewhere}");
        }
        let on_tmpfs = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:35 / /tmp rw,nosuid,nodev shared:9 - tmpfs tmpfs rw
90 30 0:35 /systemd-private-1f-shop.service-x/tmp /tmp rw,nosuid,nodev shared:9 - tmpfs tmpfs rw
";
        assert_eq!(of_tmp(on_tmpfs), Some(Private::Service));
    }

    const CONTAINER: &str = "\
700 650 0:60 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A,upperdir=/x,workdir=/y
701 700 0:63 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
702 700 8:1 /var/lib/docker/containers/1f/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/sda1 rw
703 700 8:1 /var/lib/docker/containers/1f/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw
704 700 8:1 /var/lib/docker/containers/1f/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw
";

    #[test]
    fn a_tmp_of_a_container_is_private_unless_it_is_a_volume() {
        assert_eq!(of_tmp(CONTAINER), Some(Private::Container));
        assert_eq!(private(Path::new("/run"), CONTAINER), None);
        let of_host = "705 700 8:1 /tmp /tmp rw,relatime - ext4 /dev/sda1 rw\n";
        assert_eq!(of_tmp(&format!("{CONTAINER}{of_host}")), None);
        let volume = "705 700 0:70 / /tmp rw,relatime - tmpfs tmpfs rw\n";
        assert_eq!(of_tmp(&format!("{CONTAINER}{volume}")), None);
    }

    #[test]
    fn a_tmp_of_the_host_is_not_private() {
        for host in [
            MOUNTS,
            // A live system runs on an overlay too.
            "22 1 0:20 / / rw - overlay overlay rw,lowerdir=/run/rootfs,upperdir=/x,workdir=/y",
            // A network namespace may mount its own list of hosts.
            "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n40 22 8:1 /etc/netns/a/hosts /etc/hosts rw - ext4 /dev/sda1 rw",
            // The private directory of another service is visible, but not mounted over /tmp.
            "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n41 22 8:1 /tmp/systemd-private-1f-x/tmp /mnt rw - ext4 /dev/sda1 rw",
            "",
            "nonsense",
        ] {
            assert_eq!(of_tmp(host), None, "{host}");
        }
    }
}
