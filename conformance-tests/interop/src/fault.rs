//! A proxy in front of a server that breaks the network between it and a client.

mod announced;
mod connection;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use self::announced::Announced;

/// What is wrong between the client and the server. A connection that was broken by a fault stays broken after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Connections are refused, and those that are open are reset.
    Refuse,
    /// Connections are accepted, and swallow everything, like those that are open.
    Silent,
    /// The connections that are open swallow everything, and new ones work: as behind a firewall that has forgotten them.
    HalfOpen,
    /// Connections are accepted and reset, like those that are open.
    Reset,
    /// Each response arrives this much later.
    Slow(Duration),
    /// The connection ends in the middle of the next response.
    Cut,
}

impl Fault {
    /// Whether it breaks the connections that are open.
    fn is_breaking(self) -> bool {
        matches!(self, Self::Refuse | Self::Silent | Self::HalfOpen | Self::Reset)
    }
}

/// How many connections clients have opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Those that were accepted so far.
    pub accepted: u64,
    /// Those that are open.
    pub open: u64,
    /// The most that were open at the same time.
    pub most: u64,
}

/// A proxy on a port of 127.0.0.1 that forwards each connection to a server, until it is told otherwise. Dropping it closes
/// the port.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    port: Mutex<Port>,
}

/// The port belongs to the proxy at any time: another program cannot take it while connections are refused.
#[derive(Debug)]
enum Port {
    Open(JoinHandle<()>),
    Closed(TcpSocket),
    /// It is missing: an earlier change has failed.
    Lost,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    announced: Option<Announced>,
    fault: watch::Sender<Current>,
    accepted: AtomicU64,
    open: AtomicU64,
    most: AtomicU64,
}

/// The fault, and the number of faults that were set before it.
#[derive(Debug, Clone, Copy)]
struct Current {
    number: u64,
    fault: Fault,
    /// The last fault that broke connections: they may notice when it is over.
    breaking: Option<(u64, Fault)>,
}

impl FaultProxy {
    /// Starts a proxy in front of `server`, on a free port.
    ///
    /// # Errors
    ///
    /// If there is no free port.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        Self::new(server, |_| None).await
    }

    /// Starts a proxy in front of a broker of Kafka, which tells its clients where to connect: they are told the address of
    /// the proxy instead.
    ///
    /// # Errors
    ///
    /// If there is no free port.
    pub async fn start_for_kafka(server: SocketAddr) -> io::Result<Self> {
        Self::new(server, |own| Some(Announced::new(server, own))).await
    }

    async fn new(
        server: SocketAddr,
        announced: impl FnOnce(SocketAddr) -> Option<Announced>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server,
            announced: announced(address),
            fault: watch::Sender::new(Current { number: 0, fault: Fault::None, breaking: None }),
            accepted: AtomicU64::new(0),
            open: AtomicU64::new(0),
            most: AtomicU64::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, port: Mutex::new(Port::Open(accepting)) })
    }

    /// The address that clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the fault. After that, nothing passes that the fault forbids.
    ///
    /// # Errors
    ///
    /// If the port cannot be opened or closed.
    pub async fn set(&self, fault: Fault) -> io::Result<()> {
        let mut port = self.port.lock().await;
        let is_open = matches!(*port, Port::Open(_));
        let set = || {
            self.shared.fault.send_modify(|current| {
                current.number += 1;
                current.fault = fault;
                if fault.is_breaking() {
                    current.breaking = Some((current.number, fault));
                }
            });
        };
        if fault == Fault::Refuse {
            if let Port::Open(accepting) = std::mem::replace(&mut *port, Port::Lost) {
                accepting.abort();
                // It returns once the listener is closed.
                accepting.await.ok();
                *port = Port::Closed(self.bound()?);
            }
            set();
            return Ok(());
        }
        set();
        if !is_open {
            let socket = match std::mem::replace(&mut *port, Port::Lost) {
                Port::Closed(socket) => socket,
                Port::Open(_) | Port::Lost => self.bound()?,
            };
            let accepting = accept(socket.listen(1024)?, Arc::clone(&self.shared));
            *port = Port::Open(tokio::spawn(accepting));
        }
        Ok(())
    }

    /// The connections so far.
    pub fn connections(&self) -> Connections {
        let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        let Shared { accepted, open, most, .. } = &*self.shared;
        Connections { accepted: count(accepted), open: count(open), most: count(most) }
    }

    /// A socket that has the port and does not listen: the kernel refuses connections.
    fn bound(&self) -> io::Result<TcpSocket> {
        let socket = TcpSocket::new_v4()?;
        // Connections of before may still be closing.
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        Ok(socket)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Port::Open(accepting) = self.port.get_mut() {
            accepting.abort();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let open = Open::new(Arc::clone(&shared));
                tokio::spawn(connection::serve(client, open));
            }
            // Too many open files, or a client that has left already.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// A connection that counts as open until it is dropped.
struct Open(Arc<Shared>);

impl Open {
    fn new(shared: Arc<Shared>) -> Self {
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        let open = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most.fetch_max(open, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;
