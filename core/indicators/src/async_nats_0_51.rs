//! NATS, by `async-nats` 0.51.
//!
//! ```
//! use ::async_nats_0_51 as async_nats;
//! use async_nats::ConnectOptions;
//! use health_core::Health;
//! use health_indicators::{Indicator as _, async_nats_0_51};
//!
//! let login = || ConnectOptions::with_user_and_password("shop".into(), "secret".into());
//! let health = Health::builder()
//!     .register(async_nats_0_51::connection("nats://queue.example", login).check("queue"))
//!     .build()?;
//! # Ok::<(), health_core::BuildError>(())
//! ```
//!
//! [`client`] uses the connection of the application instead. It must run on tokio.

use std::error::Error;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::async_nats_0_51::connection::State;
use ::async_nats_0_51::{
    Client, ConnectErrorKind, ConnectOptions, Event, Request, RequestErrorKind, ServerAddr,
    ServerError, ToServerAddrs, client::RequestError, error,
};
use futures::StreamExt as _;
use futures::channel::mpsc;
use futures::future::{Either, select};
use health_core::CheckResult;

use crate::failure::{BoxError, as_io};
use crate::{Kept, Ping, kept, ping, reason};

/// Sends a request that has no responder, by its own connection, which is [kept](crate::kept()): the server says that
/// it has none.
///
/// `servers` are those of a cluster; `options` makes the options of each connection. A user and password, or a token, of the
/// first URL count, which `async-nats` ignores. The callback for events is replaced.
///
/// A server that is about to stop, in its lame duck mode, is degraded, with the reason `stopping`.
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one, with two tasks; two while a broken or silent one is replaced |
/// | reasons | those of [`kept`]; `unauthorized`, `saturated` (`max_connections`), `stopping`, `name`, `tls`, `protocol`, `misconfigured` |
/// | values | `connects`: how many connections were opened so far |
/// | permissions | to publish to `health-indicators.nowhere`, and to subscribe to `_INBOX.>` |
/// | costs the server | a subscription, a message and a response. A stream of all subjects (`>`) would store the message |
/// | does not prove | that another service responds, or that JetStream works |
pub fn connection(
    servers: impl ToServerAddrs,
    options: impl Fn() -> ConnectOptions + Send + Sync + 'static,
) -> Kept<Opened> {
    // Not the error itself: it could contain the URL.
    let servers: Option<Arc<[ServerAddr]>> = servers.to_server_addrs().ok().map(Iterator::collect);
    let servers = servers.filter(|servers| {
        !servers.is_empty() && servers.iter().all(|server| !server.host().is_empty())
    });
    let connect = move || {
        let opening = servers.clone().map(|servers| open(servers, options()));
        async move {
            match opening {
                Some(opening) => opening.await.map_err(BoxError::from),
                None => Err(Misconfigured.into()),
            }
        }
    };
    kept(connect, |opened: &mut Opened| Box::pin(opened.ask())).classify(classify)
}

/// As [`connection`], by the client of the application, and without its own connection.
///
/// A client that is not connected is an error with the reason `closed`. It reconnects by itself, and is not asked until it
/// has: requests would wait in it until then.
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | none besides the client's |
/// | reasons | `closed`, `timed_out` (also for a missing permission, which only the application's callback is told of) |
/// | permissions, costs | as for [`connection`] |
/// | does not prove | that the server is not about to stop |
pub fn client(client: &Client) -> Ping {
    let client = client.clone();
    let ask = move || {
        let client = client.clone();
        async move {
            match client.connection_state() {
                State::Connected => ask(&client).await.map_err(BoxError::from),
                State::Pending | State::Disconnected => Err(NotConnected.into()),
            }
        }
    };
    ping(ask).classify(classify)
}

/// A subject without subscribers.
const NOWHERE: &str = "health-indicators.nowhere";

async fn ask(client: &Client) -> Result<(), RequestError> {
    // With its own inbox, a request that is given up leaves nothing in the client.
    let request = Request::new().inbox(client.new_inbox()).timeout(None);
    match client.send_request(NOWHERE, request).await {
        Err(error) if error.kind() != RequestErrorKind::NoResponders => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A connection, and what its server says about it.
#[derive(Debug)]
pub struct Opened {
    client: Client,
    errors: mpsc::Receiver<ServerError>,
    is_stopping: Arc<AtomicBool>,
}

/// Keeps the first of what it gets until that is received. A clone of the sender would have its own place in the channel.
fn keep_first<T>(sender: mpsc::Sender<T>) -> impl Fn(T) {
    let sender = Mutex::new(sender);
    move |item| drop(sender.lock().unwrap_or_else(PoisonError::into_inner).try_send(item))
}

async fn open(
    servers: Arc<[ServerAddr]>,
    options: ConnectOptions,
) -> Result<Opened, error::Error<ConnectErrorKind>> {
    let (sender, errors) = mpsc::channel(0);
    let keep = keep_first(sender);
    let is_stopping = Arc::new(AtomicBool::new(false));
    let flag = is_stopping.clone();
    let note = move |event| {
        match event {
            Event::LameDuckMode => flag.store(true, Ordering::Relaxed),
            Event::Connected => flag.store(false, Ordering::Relaxed),
            Event::ServerError(error) => keep(error),
            _ => {}
        }
        async {}
    };
    let options = match servers.first().map(|server| (server.username(), server.password())) {
        Some((Some(user), Some(password))) => {
            options.user_and_password(user.to_owned(), password.to_owned())
        }
        Some((Some(token), None)) => options.token(token.to_owned()),
        _ => options,
    };
    // One attempt for each server: `kept` knows better when to try again.
    let options = options.max_reconnects(servers.len()).event_callback(note);
    let client = options.connect(&*servers).await?;
    Ok(Opened { client, errors, is_stopping })
}

impl Opened {
    async fn ask(&mut self) -> Result<CheckResult, BoxError> {
        match select(pin!(ask(&self.client)), self.errors.next()).await {
            Either::Right((Some(error), _)) => return Err(error.into()),
            Either::Right((None, asked)) => asked.await?,
            Either::Left((asked, _)) => asked?,
        }
        Ok(match self.is_stopping.load(Ordering::Relaxed) {
            true => CheckResult::degraded("the server is about to stop").reason(reason::STOPPING),
            false => CheckResult::ok(),
        })
    }
}

#[derive(Debug)]
struct Misconfigured;

impl std::fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the URL is not of the form nats://HOST:PORT")
    }
}

impl Error for Misconfigured {}

#[derive(Debug)]
struct NotConnected;

impl std::fmt::Display for NotConnected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the client of the application is not connected")
    }
}

impl Error for NotConnected {}

fn classify(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if error.is::<Misconfigured>() {
        return Some(reason::MISCONFIGURED);
    }
    if error.is::<NotConnected>() {
        return Some(reason::CLOSED);
    }
    if let Some(error) = error.downcast_ref::<RequestError>() {
        return matches!(error.kind(), RequestErrorKind::Other).then_some(reason::CLOSED);
    }
    if let Some(error) = error.downcast_ref::<ServerError>() {
        return of_server(&error.to_string());
    }
    let error = error.downcast_ref::<error::Error<ConnectErrorKind>>()?;
    match error.kind() {
        ConnectErrorKind::ServerParse => Some(reason::MISCONFIGURED),
        ConnectErrorKind::Dns => Some(reason::NAME),
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            Some(reason::UNAUTHORIZED)
        }
        ConnectErrorKind::TimedOut => Some(reason::TIMED_OUT),
        ConnectErrorKind::Tls => Some(reason::TLS),
        ConnectErrorKind::Io if is_of_tls(error) => Some(reason::TLS),
        // The server, or what it is, told in words.
        ConnectErrorKind::Io => of_server(&error.to_string()),
        ConnectErrorKind::MaxReconnects => None,
    }
}

/// Whether it is an error of TLS. `async-nats` has another kind for what is not of its protocol.
fn is_of_tls(error: &error::Error<ConnectErrorKind>) -> bool {
    let cause = error.source().and_then(as_io);
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::InvalidData)
}

/// The reason of an error in the words of a server, or of `async-nats`.
fn of_server(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match () {
        () if says(&["maximum connections", "maximum account"]) => Some(reason::SATURATED),
        () if says(&["permissions violation", "authorization", "authentication", "expired"]) => {
            Some(reason::UNAUTHORIZED)
        }
        () if says(&["got nothing", "broken pipe"]) => Some(reason::CLOSED),
        () if says(&["expected info", "invalid server operation"]) => Some(reason::PROTOCOL),
        () => None,
    }
}

#[cfg(test)]
mod tests;
