//! The end of a listener: the system refuses connections, and those that it has accepted are left for the server.

use std::io;
use std::os::fd::AsFd;

/// Makes the system refuse new connections to a TCP listener. The listener stays open: connections that the system has
/// accepted for it, or whose handshake has begun, can still be accepted.
///
/// A listener that closes resets the connections that its server has not accepted yet. So a server that stops calls
/// this first, accepts what is left, and closes the listener when nothing can arrive any more
/// ([H26](crate::contract#h26)). The refusal cannot be undone, and it applies to all copies of the listener.
///
/// It binds the socket to a network interface that does not exist, which needs no privilege since Linux 5.7. It can
/// block for some milliseconds, because it reads `/proc`. It also makes the queue of the listener as long as the system
/// allows.
///
/// # Errors
///
/// The listener accepts connections as before, and a server closes it as it would without this function:
///
/// - The system is not Linux, its kernel is too old, or the listener is bound to an interface
///   ([`SO_BINDTODEVICE`](https://man7.org/linux/man-pages/man7/socket.7.html)).
/// - Another process has the same listener, or may have it: the environment variable `LISTEN_FDS` says that the process
///   has got its listeners, for example from systemd. The search finds no process of another user or container.
pub fn refuse_connections(listener: impl AsFd) -> io::Result<()> {
    system::refuse(listener.as_fd())
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::{self, DirEntry};
    use std::io;
    use std::num::NonZeroU32;
    use std::os::fd::{AsRawFd as _, BorrowedFd};

    use socket2::SockRef;

    /// The highest index of an interface. The system counts from 1.
    const NO_INTERFACE: Option<NonZeroU32> = NonZeroU32::new(i32::MAX.unsigned_abs());

    pub(super) fn refuse(listener: BorrowedFd<'_>) -> io::Result<()> {
        let shared = || io::Error::other("another process may have the same listener");
        if was_given_listeners()? {
            return Err(shared());
        }
        let socket = SockRef::from(&listener);
        // The server may accept nothing during the search. A connection that finds the queue full can be lost.
        socket.listen(i32::MAX)?;
        if is_shared(listener)? {
            return Err(shared());
        }
        // The option of Linux is the same for IPv4 and IPv6.
        socket.bind_device_by_index_v4(NO_INTERFACE)
    }

    fn was_given_listeners() -> io::Result<bool> {
        // Of the start of the process: libraries remove the variable when they have read it.
        let environment = fs::read("/proc/self/environ")?;
        let mut entries = environment.split(|byte| *byte == 0);
        Ok(entries.any(|entry| entry.starts_with(b"LISTEN_FDS=")))
    }

    fn is_shared(listener: BorrowedFd<'_>) -> io::Result<bool> {
        let socket = fs::read_link(format!("/proc/self/fd/{}", listener.as_raw_fd()))?;
        let this = fs::read_link("/proc/self")?;
        let is_this_socket = |descriptor: DirEntry| {
            fs::read_link(descriptor.path()).is_ok_and(|target| target == socket)
        };
        let others = fs::read_dir("/proc")?.flatten().filter(|entry| {
            let name = entry.file_name();
            name != *this && name.as_encoded_bytes().first().is_some_and(u8::is_ascii_digit)
        });
        let mut descriptors =
            others.filter_map(|process| fs::read_dir(process.path().join("fd")).ok());
        Ok(descriptors.any(|descriptors| descriptors.flatten().any(is_this_socket)))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::os::fd::BorrowedFd;

    pub(super) fn refuse(_: BorrowedFd<'_>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
