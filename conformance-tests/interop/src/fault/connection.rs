//! One connection through the proxy.

use std::future::pending;
use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::announced::Announced;
use super::{Current, Fault, Open};

/// The fault, as a connection sees it that was accepted at some time.
#[derive(Clone)]
struct View {
    accepted_in: u64,
    current: watch::Receiver<Current>,
}

impl View {
    /// The fault, as far as it concerns this connection.
    fn fault(&self) -> Fault {
        let Current { number, fault, breaking } = *self.current.borrow();
        match breaking {
            Some((since, breaking)) if since > self.accepted_in => breaking,
            _ if fault == Fault::HalfOpen && number == self.accepted_in => Fault::None,
            _ => fault,
        }
    }

    /// Waits for a fault that ends this connection, or makes it swallow everything.
    async fn broken(&mut self) -> Fault {
        loop {
            if self.current.changed().await.is_err() {
                return pending().await;
            }
            let fault = self.fault();
            if fault.is_breaking() {
                return fault;
            }
        }
    }

    /// Does not return while nothing may pass: `broken` returns then.
    async fn allow(&self) -> Fault {
        match self.fault() {
            fault if fault.is_breaking() => pending().await,
            fault => fault,
        }
    }
}

pub(super) async fn serve(mut client: TcpStream, open: Open) {
    let (server, announced) = (open.0.server, open.0.announced.clone());
    let mut current = open.0.fault.subscribe();
    let mut open = Some(open);
    let accepted_in = current.borrow_and_update().number;
    let view = View { accepted_in, current };
    let fault = match view.fault() {
        fault if fault.is_breaking() => fault,
        _ => match TcpStream::connect(server).await {
            Ok(server) => match forwarded(&mut client, server, view, announced, &mut open).await {
                Some(fault) => fault,
                None => return,
            },
            Err(_) => Fault::Reset,
        },
    };
    match fault {
        Fault::Silent | Fault::HalfOpen => swallow(client).await,
        // The close of a socket without linger resets the connection.
        _ => {
            let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
        }
    }
}

/// Forwards until one side has ended, or a fault breaks the connection, which is returned.
async fn forwarded(
    client: &mut TcpStream,
    mut server: TcpStream,
    view: View,
    announced: Option<Announced>,
    open: &mut Option<Open>,
) -> Option<Fault> {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let mut breaking = view.clone();
    tokio::select! {
        biased;
        fault = breaking.broken() => Some(fault),
        _ = responses(from_server, to_client, &view, announced) => None,
        _ = requests(from_client, to_server, &view, open) => None,
    }
}

/// Forwards what the client sends. It only returns on an error: after the end of the requests there may be responses.
async fn requests(
    mut client: ReadHalf<'_>,
    mut server: WriteHalf<'_>,
    view: &View,
    open: &mut Option<Open>,
) -> io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let length = client.read(&mut bytes).await?;
        view.allow().await;
        if length == 0 {
            // The client has closed it, whether or not the server notices.
            *open = None;
            server.shutdown().await?;
            return pending().await;
        }
        server.write_all(&bytes[..length]).await?;
    }
}

/// Forwards what the server sends, each part as late as the fault wants, until its end.
async fn responses(
    mut server: ReadHalf<'_>,
    mut client: WriteHalf<'_>,
    view: &View,
    announced: Option<Announced>,
) -> io::Result<()> {
    let (sender, mut parts) = mpsc::channel::<(Instant, Vec<u8>)>(64);
    let reading = async move {
        loop {
            let mut bytes = vec![0; 16 * 1024];
            let length = server.read(&mut bytes).await?;
            bytes.truncate(length);
            if let Some(announced) = &announced {
                announced.replace(&mut bytes);
            }
            let now = Instant::now();
            let due = match view.fault() {
                Fault::Slow(delay) => now + delay,
                _ => now,
            };
            if length == 0 || sender.send((due, bytes)).await.is_err() {
                return Ok::<_, io::Error>(());
            }
        }
    };
    let writing = async {
        while let Some((due, bytes)) = parts.recv().await {
            sleep_until(due).await;
            if view.allow().await == Fault::Cut {
                client.write_all(&bytes[..bytes.len() / 2]).await?;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            client.write_all(&bytes).await?;
        }
        Ok(())
    };
    tokio::try_join!(reading, writing)?;
    Ok(())
}

/// Reads until the client gives up.
async fn swallow(mut client: TcpStream) {
    let mut bytes = vec![0; 16 * 1024];
    while client.read(&mut bytes).await.is_ok_and(|length| length > 0) {}
}
