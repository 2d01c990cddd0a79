//! A TCP port.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use health_core::{CheckResult, Runtime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::address::{Address, ConnectError};
use crate::failure::misconfigured;
use crate::steps::Steps;
use crate::time::{Clock, DEFAULT_TIMEOUT};
use crate::{Class, Indicator, reason};

/// How much of an unexpected response is shown.
const MAX_SHOWN: usize = 60;

/// Connects to a TCP port, such as `cache.example:11211` or `[::1]:80`, and closes the connection.
///
/// ```
/// use health_indicators::{Indicator as _, tcp};
///
/// let check = tcp("cache.example:11211").send("version\r\n").expect("VERSION ").check("memcached");
/// ```
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds, for the name, the connection and the response together |
/// | connections | one per test, which is closed at its end: to test a server more often, use [`kept`](crate::kept) |
/// | reasons | `name`, `refused`, `unreachable`, `timed_out`, `reset`, `closed`, `protocol` (another response), `misconfigured` |
/// | cost to the server | a connection per test; PostgreSQL and others log one that sends nothing as an error |
/// | does not prove | without [`expect`](Tcp::expect), that anything is behind the port: the kernel accepts connections for a process that hangs, until its backlog is full, and a proxy accepts them without its server |
///
/// The name is resolved on a thread for blocking code of the tokio runtime, because the resolver of the system blocks. A
/// resolver that hangs keeps that thread for longer than the timeout.
pub fn tcp(address: impl AsRef<str>) -> Tcp {
    Tcp {
        address: Address::parse(address.as_ref(), None),
        send: Vec::new(),
        expect: Vec::new(),
        timeout: DEFAULT_TIMEOUT,
        class: Class::Shared,
        clock: Clock::default(),
    }
}

/// See [`tcp`].
#[must_use = "an indicator does nothing until its check is registered"]
pub struct Tcp {
    address: Result<Address, String>,
    send: Vec<u8>,
    expect: Vec<u8>,
    timeout: Duration,
    class: Class,
    clock: Clock,
}

impl Tcp {
    /// Sends `bytes` after connecting. They are never shown, nor is an unexpected response to them, which could repeat them.
    /// Default: none.
    pub fn send(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.send = bytes.into();
        self
    }

    /// The server must respond with `bytes` first, and may send more. Default: none, and nothing is read.
    pub fn expect(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.expect = bytes.into();
        self
    }

    /// The longest time that a test takes. Default: 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What a failure means. Default: [`Class::Shared`].
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The clock and timers. Default: [`ThreadRuntime`](health_core::ThreadRuntime).
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.clock = Clock::of(runtime);
        self
    }

    async fn tested(&self, address: &Address) -> Result<(), CheckResult> {
        let steps = Steps::new(&self.clock, self.timeout, ConnectError::reason);
        let no_connection = format!("no connection to {address}");
        let mut stream = steps.step(&no_connection, address.connect()).await?;
        steps.step("the server read nothing", stream.write_all(&self.send)).await?;
        if self.expect.is_empty() {
            return Ok(());
        }
        let response = self.response(&mut stream);
        let response = steps.step("the expected response did not come", response).await?;
        if response.starts_with(&self.expect) {
            return Ok(());
        }
        Err(self.unexpected(&response))
    }

    /// Reads until it is clear whether the response begins as expected.
    async fn response(&self, stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
        // More than is needed, to show it.
        let mut buffer = vec![0; self.expect.len().max(MAX_SHOWN)];
        let mut len = 0;
        while len < self.expect.len() && self.expect.starts_with(&buffer[..len]) {
            match stream.read(&mut buffer[len..]).await? {
                0 => break,
                read => len += read,
            }
        }
        buffer.truncate(len);
        Ok(buffer)
    }

    fn unexpected(&self, response: &[u8]) -> CheckResult {
        if response.is_empty() {
            let text = "the server closed the connection without a response";
            return CheckResult::error(text).reason(reason::CLOSED);
        }
        if !self.send.is_empty() {
            // It may repeat what was sent.
            return CheckResult::error("the response was not expected").reason(reason::PROTOCOL);
        }
        let shown = response[..response.len().min(MAX_SHOWN)].escape_ascii();
        let text = format!("the response begins with \"{shown}\", which was not expected");
        CheckResult::error(crate::failure::redact(&text).into_owned()).reason(reason::PROTOCOL)
    }
}

#[async_trait]
impl Indicator for Tcp {
    async fn test(&self) -> CheckResult {
        match &self.address {
            Ok(address) => self.tested(address).await.err().unwrap_or_else(CheckResult::ok),
            Err(mistake) => misconfigured(mistake),
        }
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn class(&self) -> Class {
        self.class
    }
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp")
            .field("address", &self.address)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::time::Duration;

    use health_core::Report;

    use super::{Tcp, tcp};
    use crate::Indicator as _;
    use crate::misbehaving::{hang, serve};

    const LONG: Duration = Duration::from_secs(60);

    async fn report(tcp: Tcp) -> Report {
        Report::of("tcp", tcp.test().await)
    }

    fn version(address: impl ToString) -> Tcp {
        tcp(address.to_string()).send("version\r\n").expect("VERSION ").timeout(LONG)
    }

    #[tokio::test]
    async fn a_server_that_responds_as_expected_passes_whatever_follows_and_however_slowly() {
        let address = serve(|mut stream| {
            let mut request = [0; 9];
            stream.read_exact(&mut request).unwrap();
            assert_eq!(&request, b"version\r\n");
            for byte in b"VERSION 1.6\r\n" {
                stream.write_all(&[*byte]).unwrap_or_default();
            }
        });
        assert_eq!(report(version(address)).await.status().as_str(), "OK");
        let address = serve(|mut stream| while stream.write_all(b"VERSION and no end ").is_ok() {});
        assert_eq!(report(version(address)).await.status().as_str(), "OK");
    }

    #[tokio::test]
    async fn another_response_is_shown_and_none_is_a_closed_connection() {
        let address = serve(|mut stream| {
            stream.write_all(b"-\xff\0\r\n").unwrap();
            hang(stream);
        });
        let odd = report(tcp(address.to_string()).expect("VERSION ").timeout(LONG)).await;
        assert_eq!(odd.reason(), Some("protocol"));
        assert!(odd.message().unwrap().contains(r#""-\xff\x00\r\n""#), "{odd:?}");

        let cut = report(version(serve(|mut stream| stream.write_all(b"VERS").unwrap()))).await;
        assert!(matches!(cut.reason(), Some("protocol" | "reset")), "{cut:?}");
        let nothing = serve(|mut stream| stream.read_exact(&mut [0; 9]).unwrap());
        assert_eq!(report(version(nothing)).await.reason(), Some("closed"));
    }

    #[tokio::test]
    async fn a_server_that_repeats_a_secret_does_not_show_it() {
        let address = serve(|mut stream| {
            let mut request = [0; 11];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(&request).unwrap();
            hang(stream);
        });
        let tcp = tcp(address.to_string()).send("AUTH secret").expect("+OK").timeout(LONG);
        let odd = report(tcp).await;
        assert_eq!(odd.reason(), Some("protocol"));
        assert!(!odd.message().unwrap().contains("secret"), "{odd:?}");
    }

    #[tokio::test]
    async fn a_silent_server_passes_unless_something_is_expected() {
        let address = serve(hang);
        assert_eq!(report(tcp(address.to_string()).timeout(LONG)).await.status().as_str(), "OK");
        let silent = report(version(serve(hang)).timeout(Duration::from_millis(50))).await;
        assert_eq!(silent.reason(), Some("timed_out"));
        assert!(silent.message().unwrap().contains("response"), "{silent:?}");
    }

    #[tokio::test]
    async fn a_server_that_reads_nothing_is_given_up() {
        let huge = vec![b'x'; 64 << 20];
        let tcp = tcp(serve(hang).to_string()).send(huge).timeout(Duration::from_millis(200));
        let report = report(tcp).await;
        assert_eq!(report.reason(), Some("timed_out"), "{report:?}");
    }

    #[tokio::test]
    async fn a_closed_port_and_an_unknown_name_have_reasons() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refused = report(version(closed)).await;
        assert_eq!(refused.reason(), Some("refused"));
        assert!(refused.message().unwrap().contains(&closed.to_string()), "{refused:?}");
        // Reserved by RFC 6761, and with a label that no name server is asked for.
        let unknown = report(version(format!("{}.invalid:80", "a".repeat(64)))).await;
        assert_eq!(unknown.reason(), Some("name"), "{unknown:?}");
    }

    #[tokio::test]
    async fn an_ipv6_literal_is_an_address() {
        let Ok(listener) = std::net::TcpListener::bind("[::1]:0") else {
            println!("NOT RUN: this host has no IPv6");
            return;
        };
        let address = listener.local_addr().unwrap();
        assert_eq!(report(tcp(address.to_string()).timeout(LONG)).await.status().as_str(), "OK");
    }

    #[tokio::test]
    async fn bad_addresses_are_misconfigured_and_secrets_are_not_shown() {
        let long = format!("{}:80", "a".repeat(300));
        for address in ["", "example.com", "example.com:http", "tcp://ann:secret@db:1", &long] {
            let tcp = tcp(address).send("AUTH secret");
            assert!(!format!("{tcp:?}").contains("secret"));
            let report = report(tcp).await;
            assert_eq!(report.reason(), Some("misconfigured"));
            assert!(!report.message().unwrap().contains("secret"));
        }
    }
}
