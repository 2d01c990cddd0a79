//! PostgreSQL by [`tokio_postgres`](::tokio_postgres_0_7) 0.7.
//!
//! ```
//! # extern crate tokio_postgres_0_7 as tokio_postgres;
//! use health_core::Health;
//! use health_indicators::{Indicator as _, tokio_postgres_0_7};
//! use tokio_postgres::NoTls;
//!
//! let config = "host=db.example user=shop password=secret".parse()?;
//! let health = Health::builder()
//!     .register(tokio_postgres_0_7::connection(config, NoTls).check("database"))
//!     .build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The program must run on tokio.

pub(crate) mod reasons;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::pin;

use ::tokio_postgres_0_7::tls::{MakeTlsConnect, TlsConnect};
use ::tokio_postgres_0_7::{Client, Config, Error, SimpleQueryMessage, Socket};
use futures::TryStreamExt as _;
use futures::future::BoxFuture;
use health_core::{CheckResult, IntoCheckResult};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use self::reasons::reason_of;
use crate::failure::BoxError;
use crate::{Kept, kept, reason};

/// Tests PostgreSQL by an empty query on its own connection: see [`kept`].
///
/// `tls` is that of the application, or [`NoTls`](::tokio_postgres_0_7::NoTls).
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one; two while a broken or silent one is replaced |
/// | reasons | those of [`kept`], and `unauthorized`, `missing`, `saturated` (the server), `starting`, `name`, `tls`, `protocol`, `misconfigured` |
/// | values | `connects`: how many connections were opened so far |
/// | permissions | to connect |
/// | costs the server | an empty query |
/// | does not prove | that the application's pool has a free connection, or that the server accepts writes: see [`writable`] |
pub fn connection<T>(config: Config, tls: T) -> Kept<Connection>
where
    T: MakeTlsConnect<Socket, Stream: Send, TlsConnect: TlsConnect<Socket, Future: Send> + Send>,
    T: Clone + Send + Sync + 'static,
{
    kept_by(config, tls, |connection| Box::pin(test(&connection.client)))
}

/// As [`connection`], and tests whether the server accepts writes, by `SHOW transaction_read_only` in place of the empty
/// query: an error with the reason `read_only` if it is a standby, or reads only by default.
///
/// It does not prove that the disk has space, or that a table may be written.
pub fn writable<T>(config: Config, tls: T) -> Kept<Connection>
where
    T: MakeTlsConnect<Socket, Stream: Send, TlsConnect: TlsConnect<Socket, Future: Send> + Send>,
    T: Clone + Send + Sync + 'static,
{
    kept_by(config, tls, |connection| Box::pin(test_writable(&connection.client)))
}

/// A connection that [`connection`] and [`writable`] keep. It is closed when it is dropped.
pub struct Connection {
    client: Client,
    /// Reads and writes. By itself it would end only when the server has responded to everything.
    task: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

fn kept_by<T, P, G>(config: Config, tls: T, ping: G) -> Kept<Connection>
where
    T: MakeTlsConnect<Socket, Stream: Send, TlsConnect: TlsConnect<Socket, Future: Send> + Send>,
    T: Clone + Send + Sync + 'static,
    P: Send + 'static,
    G: for<'a> Fn(&'a mut Connection) -> BoxFuture<'a, Result<P, Error>> + Send + Sync + 'static,
    Result<P, BoxError>: IntoCheckResult,
{
    let connect = move || {
        let (config, tls) = (config.clone(), tls.clone());
        async move {
            let runtime = Handle::try_current()?;
            let (client, connection) = config.connect(tls).await?;
            // Its error is also that of the query.
            let task = runtime.spawn(async { connection.await.unwrap_or_default() });
            Ok::<_, BoxError>(Connection { client, task: task.abort_handle() })
        }
    };
    kept(connect, ping).classify(reason_of)
}

/// Asks for a round trip. It keeps nothing of what the server sends.
pub(crate) async fn test(client: &Client) -> Result<(), Error> {
    client.batch_execute("").await
}

pub(crate) async fn test_writable(client: &Client) -> Result<CheckResult, Error> {
    let mut messages = pin!(client.simple_query_raw("SHOW transaction_read_only").await?);
    while let Some(message) = messages.try_next().await? {
        if let SimpleQueryMessage::Row(row) = message {
            return Ok(match row.try_get(0)? {
                Some("off") => CheckResult::ok(),
                _ => CheckResult::error("the database accepts no writes").reason(reason::READ_ONLY),
            });
        }
    }
    Ok(CheckResult::error("the server does not tell whether it accepts writes")
        .reason(reason::PROTOCOL))
}
