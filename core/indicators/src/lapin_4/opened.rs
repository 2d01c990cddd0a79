//! Connections whose threads end.

use std::fmt;
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, PoisonError};

use ::lapin_4::runtime::default_runtime;
use ::lapin_4::tcp::TLSConfig;
use ::lapin_4::types::FrameSize;
use ::lapin_4::uri::{AMQPScheme, AMQPUri};
use ::lapin_4::{AsyncTcpStream, Channel, Connection, ConnectionProperties, Error};
use futures::io::{AsyncRead, AsyncWrite};

use crate::failure::BoxError;

/// The size of a frame, unless the URI tells another: `lapin` allocates 64 frames for each connection. The least that
/// RabbitMQ 4 accepts.
const FRAME_MAX: FrameSize = 8192;

/// A connection with a channel.
pub struct Opened {
    // Dropped first, so that the others need not wait for the server.
    _socket: Socket,
    channel: Channel,
    connection: Connection,
}

impl Opened {
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

/// The socket of a connection, which is shut down when this is dropped: the thread of the connection reads its end. Otherwise
/// the thread of a handshake that was given up would wait for a silent server forever.
struct Socket(TcpStream);

impl Drop for Socket {
    fn drop(&mut self) {
        // It fails if the server was first.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Socket {
    #[cfg(unix)]
    fn of(stream: &impl std::os::fd::AsFd) -> std::io::Result<Self> {
        Ok(Self(stream.as_fd().try_clone_to_owned()?.into()))
    }

    #[cfg(windows)]
    fn of(stream: &impl std::os::windows::io::AsSocket) -> std::io::Result<Self> {
        Ok(Self(stream.as_socket().try_clone_to_owned()?.into()))
    }
}

/// A URI that nothing can be connected to.
#[derive(Debug)]
pub(super) struct Misconfigured(&'static str);

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Misconfigured {}

pub(super) async fn open(uri: &str) -> Result<Opened, BoxError> {
    let mut uri = parse(uri)?;
    uri.query.frame_max = uri.query.frame_max.or(Some(FRAME_MAX));
    let runtime = default_runtime()?;
    let host = uri.authority.host.clone();
    let addresses = runtime.to_socket_addrs((host.clone(), uri.authority.port));
    let stream = AsyncTcpStream::connect(&runtime, addresses).await?;
    let AsyncTcpStream::Plain(plain) = &stream else {
        return Err("a new connection is encrypted".into());
    };
    let socket = Socket::of(plain.get_ref())?;
    let stream = match uri.scheme {
        AMQPScheme::AMQP => stream,
        AMQPScheme::AMQPS => encrypted(stream.into_tls(&host, TLSConfig::default()).await?)?,
    };
    let stream = Mutex::new(Some(stream));
    let connect = async move |_, _| {
        let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        stream.ok_or_else(|| Error::from(std::io::Error::from(std::io::ErrorKind::NotConnected)))
    };
    let properties = ConnectionProperties::default().with_connection_name("health check".into());
    let connection = Connection::connector(uri, runtime, connect, properties).await?;
    let channel = connection.create_channel().await?;
    Ok(Opened { _socket: socket, channel, connection })
}

/// The stream, unless it is plain: without a feature for TLS, `lapin` would send the password over that.
fn encrypted<S>(stream: AsyncTcpStream<S>) -> Result<AsyncTcpStream<S>, Misconfigured>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    match stream {
        AsyncTcpStream::Plain(_) => Err(Misconfigured("amqps needs a feature of lapin for TLS")),
        encrypted => Ok(encrypted),
    }
}

pub(super) fn parse(uri: &str) -> Result<AMQPUri, Misconfigured> {
    // The error of `lapin` may contain the URI, and with it the password.
    let invalid = || Misconfigured("the URI is not of the form amqp://HOST:PORT/VHOST");
    let mut parsed: AMQPUri = uri.parse().map_err(|_| invalid())?;
    // `lapin` ignores an IPv6 address, and would connect to this host.
    if let Some(address) = ipv6_address(uri) {
        parsed.authority.host = address.to_owned();
    }
    Ok(parsed)
}

fn ipv6_address(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    Some(host.strip_prefix('[')?.split_once(']')?.0)
}
