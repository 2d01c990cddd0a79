//! Redis and Valkey, by `redis` 1.
//!
//! ```
//! use health_core::Health;
//! use health_indicators::{Indicator as _, redis_1};
//!
//! let health = Health::builder()
//!     .register(redis_1::connection("redis://cache.example").check("cache"))
//!     .register(redis_1::writable("redis://:secret@carts.example", "carts:health").check("carts"))
//!     .build()?;
//! # Ok::<(), health_core::BuildError>(())
//! ```
//!
//! The program chooses the features of `redis`, such as those for TLS. It must run on tokio.

use std::error::Error;

use ::redis_1::aio::MultiplexedConnection;
use ::redis_1::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, ServerErrorKind, Value,
};

use crate::failure::as_io;
use crate::{Kept, kept, reason};

/// Sends `PING` by its own connection, which is [kept](crate::kept()).
///
/// `server` is a URL, or what a client connects to: `client.get_connection_info().clone()`.
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one; two while a broken or silent one is replaced |
/// | reasons | those of [`kept`]; `unauthorized`, `starting` (it loads its data), `blocked` (a script runs), `read_only` (it cannot save to its disk, or has lost its primary), `saturated` (`maxclients`; on the same host often `closed`), `name`, `tls`, `protocol`, `misconfigured` |
/// | values | `connects`: how many connections were opened so far |
/// | permissions | `PING` (`+ping`), and `AUTH` and `SELECT` if the URL has a password or a number of a database |
/// | costs the server | a command without keys |
/// | does not prove | that it accepts writes: a replica, and a server whose memory is full, respond to `PING`. See [`writable`] |
pub fn connection(server: impl IntoConnectionInfo) -> Kept<MultiplexedConnection> {
    let mut ping = Cmd::new();
    ping.arg("PING");
    command(server, ping, |value| matches!(value, Value::SimpleString(pong) if pong == "PONG"))
}

/// Sends a write that changes nothing, by its own connection, which is [kept](crate::kept()).
///
/// The command is `SETRANGE key 0 ""`. It creates no key and changes none, but Redis rejects it wherever it rejects writes.
///
/// `server` is as for [`connection`]. `key` need not exist; if it does, it must be a string. In a cluster, the server must
/// be the one that has its slot.
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one; two while a broken or silent one is replaced |
/// | reasons | those of [`connection`]; `read_only` also if it is a replica or has too few replicas, `full` if its memory is |
/// | values | `connects`: how many connections were opened so far |
/// | permissions | `SETRANGE` (`+setrange`), and to read and write the key (`~key`) |
/// | costs the server | a look at one key |
/// | does not prove | that a write reaches the disk or the replicas |
pub fn writable(
    server: impl IntoConnectionInfo,
    key: impl Into<String>,
) -> Kept<MultiplexedConnection> {
    let mut write = Cmd::new();
    write.arg("SETRANGE").arg(key.into()).arg(0).arg("");
    command(server, write, |value| matches!(value, Value::Int(_)))
}

fn command(
    server: impl IntoConnectionInfo,
    command: Cmd,
    is_expected: fn(&Value) -> bool,
) -> Kept<MultiplexedConnection> {
    let opened = server.into_connection_info().and_then(Server::of);
    let connect = move || {
        let opened = opened.clone();
        async move { opened?.connect().await }
    };
    kept(connect, move |connection: &mut MultiplexedConnection| {
        let command = command.clone();
        Box::pin(async move {
            let response: Value = command.query_async(connection).await?;
            if is_expected(&response) { Ok(()) } else { Err(unexpected()) }
        })
    })
    .classify(classify)
}

#[derive(Clone)]
struct Server {
    client: Client,
    login: Vec<Cmd>,
}

impl Server {
    /// The client logs in by its own commands: that of `redis` calls each failure one of the password, also that of a
    /// server which has no connection left.
    fn of(info: ::redis_1::ConnectionInfo) -> Result<Self, RedisError> {
        let settings = info.redis_settings();
        let mut login = Vec::new();
        if let Some(password) = settings.password() {
            let mut auth = Cmd::new();
            auth.arg("AUTH").arg(settings.username()).arg(password);
            login.push(auth);
        }
        if settings.db() != 0 {
            let mut select = Cmd::new();
            select.arg("SELECT").arg(settings.db());
            login.push(select);
        }
        let silent = RedisConnectionInfo::default().set_skip_set_lib_name();
        let client = Client::open(info.set_redis_settings(silent))?;
        Ok(Self { client, login })
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        // The limits are those of the indicator, which covers the name and the login, too.
        let unlimited =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let mut connection =
            self.client.get_multiplexed_async_connection_with_config(&unlimited).await?;
        for command in &self.login {
            match command.query_async(&mut connection).await? {
                Value::Okay => {}
                _ => return Err(unexpected()),
            }
        }
        Ok(connection)
    }
}

fn unexpected() -> RedisError {
    (ErrorKind::Parse, "the response is not one of Redis to this command").into()
}

fn classify(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let error = error.downcast_ref::<RedisError>()?;
    let detail = error.detail().unwrap_or_default();
    let says = |words: &[&str]| words.iter().any(|word| detail.contains(word));
    Some(match error.kind() {
        ErrorKind::Parse => reason::PROTOCOL,
        ErrorKind::InvalidClientConfig => reason::MISCONFIGURED,
        ErrorKind::AuthenticationFailed => reason::UNAUTHORIZED,
        // The protocol has its own errors, so this is one of TLS.
        ErrorKind::Io if is_invalid_data(error) => reason::TLS,
        ErrorKind::Server(ServerErrorKind::BusyLoading) => reason::STARTING,
        ErrorKind::Server(ServerErrorKind::MasterDown | ServerErrorKind::ReadOnly) => {
            reason::READ_ONLY
        }
        ErrorKind::Server(ServerErrorKind::NoPerm) => reason::UNAUTHORIZED,
        ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask) => reason::MISCONFIGURED,
        ErrorKind::Server(_) if says(&["max number of clients"]) => reason::SATURATED,
        // Of Redis before 6, or without a password.
        ErrorKind::Server(_) if says(&["invalid password", "AUTH"]) => reason::UNAUTHORIZED,
        ErrorKind::Server(_) if says(&["DB index", "wrong kind of value"]) => reason::MISCONFIGURED,
        ErrorKind::Extension => match error.code()? {
            "NOAUTH" | "WRONGPASS" | "DENIED" => reason::UNAUTHORIZED,
            "BUSY" => reason::BLOCKED,
            "MISCONF" | "NOREPLICAS" => reason::READ_ONLY,
            "OOM" => reason::FULL,
            "WRONGTYPE" => reason::MISCONFIGURED,
            _ => return None,
        },
        _ => return None,
    })
}

fn is_invalid_data(error: &RedisError) -> bool {
    let cause = error.source().and_then(as_io);
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use ::redis_1::{IntoConnectionInfo, RedisError};
    use health_core::{CheckResult, Report};

    use super::{classify, connection, writable};
    use crate::Indicator as _;
    use crate::misbehaving::{hang, serve};

    /// Responds with the same bytes to each command.
    fn responding(response: &'static str) -> SocketAddr {
        serve(move |mut stream| {
            while stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {
                if stream.write_all(response.as_bytes()).is_err() {
                    return;
                }
            }
        })
    }

    fn reason(result: CheckResult) -> String {
        Report::of("cache", result).reason().unwrap_or("none").to_owned()
    }

    #[tokio::test]
    async fn responses_of_the_server_have_reasons() {
        for (response, expected) in [
            ("+PONG\r\n", "none"),
            ("-NOAUTH Authentication required.\r\n", "unauthorized"),
            ("-WRONGPASS invalid username-password pair or user is disabled.\r\n", "unauthorized"),
            ("-NOPERM this user has no permissions to run the 'ping' command\r\n", "unauthorized"),
            ("-DENIED Redis is running in protected mode\r\n", "unauthorized"),
            ("-ERR invalid password\r\n", "unauthorized"),
            ("-ERR AUTH <password> called without any password configured\r\n", "unauthorized"),
            ("-LOADING Redis is loading the dataset in memory\r\n", "starting"),
            ("-BUSY Redis is busy running a script.\r\n", "blocked"),
            ("-MASTERDOWN Link with MASTER is down\r\n", "read_only"),
            ("-READONLY You can't write against a read only replica.\r\n", "read_only"),
            ("-MISCONF Redis is configured to save RDB snapshots, but\r\n", "read_only"),
            ("-NOREPLICAS Not enough good replicas to write.\r\n", "read_only"),
            ("-OOM command not allowed when used memory > 'maxmemory'.\r\n", "full"),
            ("-ERR max number of clients reached\r\n", "saturated"),
            ("-ERR DB index is out of range\r\n", "misconfigured"),
            ("-MOVED 3999 127.0.0.1:6381\r\n", "misconfigured"),
            ("-WRONGTYPE Operation against a key holding\r\n", "misconfigured"),
            ("-SOMETHING else\r\n", "failed"),
            ("-\r\n", "failed"),
            ("+OK\r\n", "protocol"),
            ("$-1\r\n", "protocol"),
            ("HTTP/1.1 400 Bad Request\r\n\r\n", "protocol"),
            ("\0\u{15}\u{3}\r\n", "protocol"),
        ] {
            let server = format!("redis://{}", responding(response));
            assert_eq!(reason(connection(server).test().await), expected, "{response:?}");
        }
        let server = format!("redis://{}", responding(":0\r\n"));
        assert_eq!(reason(writable(server, "health").test().await), "none");
    }

    #[tokio::test]
    async fn what_it_cannot_connect_to_is_misconfigured() {
        for server in
            ["", "cache:6379", "http://ann:secret@cache", "redis://:secret@cache:x", "redis:"]
        {
            let report = Report::of("cache", connection(server).test().await);
            assert_eq!(report.reason(), Some("misconfigured"), "{server}: {report:?}");
            assert!(!report.message().unwrap().contains("secret"));
        }
    }

    #[tokio::test]
    async fn a_refused_connection_and_one_that_is_closed_have_reasons() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("redis://:secret@{}", listener.local_addr().unwrap());
        drop(listener);
        assert_eq!(reason(connection(server).test().await), "refused");

        let server = format!("redis://{}", serve(drop));
        let reason = reason(connection(server).test().await);
        assert!(["closed", "reset"].contains(&&*reason), "{reason}");
    }

    #[tokio::test]
    async fn a_server_that_is_silent_or_never_ends_is_given_up() {
        let silent = serve(hang);
        let endless = serve(|mut stream| while stream.write_all(b"+aaaaaaaa").is_ok() {});
        for server in [silent, endless] {
            let indicator = connection(format!("redis://{server}"));
            let indicator = indicator.timeout(Duration::from_millis(200));
            let result = tokio::time::timeout(Duration::from_secs(10), indicator.test()).await;
            assert_eq!(reason(result.unwrap()), "timed_out");
        }
    }

    #[tokio::test]
    async fn all_tests_use_one_connection_which_logs_in_once() {
        let connections = Arc::new(AtomicU32::new(0));
        let commands = Arc::new(Mutex::new(Vec::new()));
        let (counted, seen) = (connections.clone(), commands.clone());
        let server = serve(move |mut stream| {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut buffer = [0; 1024];
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                let command = String::from_utf8_lossy(&buffer[..read]).replace("\r\n", " ");
                let response: &[u8] =
                    if command.contains("PING") { b"+PONG\r\n" } else { b"+OK\r\n" };
                seen.lock().unwrap().push(command);
                stream.write_all(response).unwrap();
            }
        });
        let indicator = connection(format!("redis://ann:secret@{server}/7"));
        for _ in 0..100 {
            assert_eq!(reason(indicator.test().await), "none");
        }
        assert_eq!(connections.load(Ordering::Relaxed), 1);
        let commands = commands.lock().unwrap();
        assert_eq!(commands.len(), 102);
        assert_eq!(commands[0], "*3 $4 AUTH $3 ann $6 secret ");
        assert_eq!(commands[1], "*2 $6 SELECT $1 7 ");
    }

    #[tokio::test]
    async fn what_another_client_connects_to_is_accepted() {
        let server = format!("redis://:secret@{}", responding("+OK\r\n"));
        let info = server.into_connection_info().unwrap();
        let client = ::redis_1::Client::open(info).unwrap();
        let indicator = connection(client.get_connection_info().clone());
        assert_eq!(reason(indicator.test().await), "protocol", "it responds OK to PING");
    }

    #[test]
    fn data_that_is_not_valid_is_of_tls() {
        let error = std::io::Error::new(std::io::ErrorKind::InvalidData, "unknown issuer");
        assert_eq!(classify(&RedisError::from(error)), Some("tls"));
    }
}
