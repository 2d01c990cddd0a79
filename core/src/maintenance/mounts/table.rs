//! The mounts of a process, as Linux lists them.

use std::path::Path;

/// File systems whose stat waits for nobody else's machine or process. All others are not trusted.
const LOCAL: [&str; 15] = [
    "bcachefs", "btrfs", "devtmpfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay",
    "ramfs", "squashfs", "tmpfs", "xfs", "zfs",
];

/// Whether all mounts above `directory`, and the one it is on, are local, by the text of `/proc/self/mountinfo`
/// (proc(5)). What is mounted over another counts with it.
pub(super) fn is_on_local_mounts(directory: &Path, mounts: &str) -> bool {
    let mut kinds = mounts
        .lines()
        .filter_map(|line| {
            let (mount, file_system) = line.split_once(" - ")?;
            let point = unescaped(mount.split(' ').nth(4)?);
            let kind = file_system.split(' ').next()?;
            directory.starts_with(point).then_some(kind)
        })
        .peekable();
    kinds.peek().is_some() && kinds.all(|kind| LOCAL.contains(&kind))
}

/// Space, tab, line feed and backslash stand as octal escapes.
fn unescaped(point: &str) -> String {
    let escapes = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    let replace = |text: String, (escape, plain): (&str, &str)| text.replace(escape, plain);
    escapes.into_iter().fold(point.to_owned(), replace)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_on_local_mounts;

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
        for remote in [
            "/srv",
            "/srv/shop",
            "/srv/local",
            "/mnt/two words/x",
            "/over",
            "/over/x",
        ] {
            assert!(!is_local(remote), "{remote}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_trusted() {
        for mounts in ["", "nonsense", "22 1 8:1 / / rw,relatime", " - ext4"] {
            assert!(!is_on_local_mounts(Path::new("/"), mounts), "{mounts:?}");
        }
    }
}
