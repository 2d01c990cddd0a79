//! The listener of Rocket, which has no API for it.

pub(crate) use self::system::Listener;

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::io::{self, IoSlice, IoSliceMut};
    use std::mem::MaybeUninit;
    use std::net::{SocketAddr, TcpListener};
    use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
    use std::os::unix::net::UnixStream;

    use health_core::refuse_connections;
    use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
    use rustix::net::sockopt::socket_acceptconn;
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

    /// The listener of this process at an address.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Listener {
        address: SocketAddr,
        descriptor: RawFd,
    }

    impl Listener {
        /// Looks through the descriptors of this process.
        pub(crate) fn find(address: SocketAddr) -> Option<Self> {
            let entries = fs::read_dir("/proc/self/fd").ok()?.flatten();
            let mut listeners = entries.filter_map(|entry| {
                let descriptor = entry.file_name().to_str()?.parse().ok()?;
                Some(Self { address, descriptor })
            });
            listeners.find(|listener| listener.copy().is_some())
        }

        /// Makes the system refuse new connections. Returns whether it does.
        pub(crate) fn refuse(self) -> bool {
            // The copy ends here. It would keep the listener open.
            self.copy().is_some_and(|copy| refuse_connections(copy).is_ok())
        }

        /// A copy of the listener, if it is open.
        fn copy(self) -> Option<TcpListener> {
            let copy = copy(self.descriptor).ok()?;
            if !socket_acceptconn(&copy).ok()? {
                return None;
            }
            let copy = TcpListener::from(copy);
            (copy.local_addr().ok()? == self.address).then_some(copy)
        }
    }

    /// Sends a descriptor of this process to the process itself. Other ways from a number to an owned descriptor are
    /// `unsafe`, or need a system call that the default profile of Docker does not allow (`pidfd_getfd`).
    fn copy(descriptor: RawFd) -> io::Result<OwnedFd> {
        let (sender, receiver) = UnixStream::pair()?;
        let descriptors = [descriptor];
        let message = [ControlMessage::ScmRights(&descriptors)];
        let sender = sender.as_raw_fd();
        sendmsg::<()>(sender, &[IoSlice::new(&[0])], &message, MsgFlags::empty(), None)?;

        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let buffers = &mut [IoSliceMut::new(&mut byte)];
        recvmsg(&receiver, buffers, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let mut received = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        received.next().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::net::SocketAddr;

    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Listener {}

    impl Listener {
        pub(crate) fn find(_: SocketAddr) -> Option<Self> {
            None
        }

        pub(crate) fn refuse(self) -> bool {
            match self {}
        }
    }
}
