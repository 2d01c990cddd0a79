//! One request, and its verdict within the timeout.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::ProbeError;
use crate::exchange::{self, Progress, Stage};
use crate::response::Response;
use crate::url::Url;
use crate::verdict::Verdict;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
pub(crate) const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);

/// A request to a health endpoint. [`send`](Self::send) sends it.
///
/// ```
/// use std::time::Duration;
///
/// use health_probe::{Probe, ProbeError};
///
/// fn is_ready() -> Result<bool, ProbeError> {
///     let probe = Probe::new("http://127.0.0.1:8080/ready")?.timeout(Duration::from_secs(4));
///     let verdict = probe.send()?;
///     println!("{verdict}");
///     Ok(verdict.is_healthy())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a probe does nothing until it is sent"]
pub struct Probe {
    pub(crate) url: Url,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) maintenance_ok: bool,
    pub(crate) timeout: Duration,
}

impl Probe {
    /// A request to this URL: `http://HOST[:PORT][/PATH][?QUERY]`, where the host is a name, an IPv4 address, or an
    /// IPv6 address in brackets.
    ///
    /// # Errors
    ///
    /// [`ProbeError::Url`] if the URL has another form, requires TLS, or contains a user name or a character that must
    /// be percent-encoded.
    pub fn new(url: &str) -> Result<Self, ProbeError> {
        let parsed = Url::parse(url);
        let parsed = parsed.map_err(|reason| ProbeError::Url { url: url.to_owned(), reason })?;
        Ok(Self { url: parsed, socket: None, maintenance_ok: false, timeout: DEFAULT_TIMEOUT })
    }

    /// The limit for everything, from the name lookup to the last byte. More than an hour counts as an hour. Default:
    /// 10 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// Whether maintenance is healthy: the code 299, or the body `MAINTENANCE` with any code. Default: no.
    pub fn maintenance_ok(mut self, is_ok: bool) -> Self {
        self.maintenance_ok = is_ok;
        self
    }

    /// Connects to this Unix socket. Host and port of the URL are only sent as `Host`. Default: TCP, to host and port.
    ///
    /// On a platform without Unix sockets, [`send`](Self::send) returns an error.
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.socket = Some(path.into());
        self
    }

    /// Sends the request over a new connection, and returns the verdict on the response. It follows no redirect.
    ///
    /// **It blocks the calling thread** until the timeout at the latest. In an async program, call it before the
    /// runtime starts, or through `spawn_blocking` of tokio. A program that probes itself from the only thread of its
    /// runtime gets no response, because that thread cannot serve the request.
    ///
    /// # Errors
    ///
    /// [`ProbeError::NoResponse`] without a complete response in time.
    pub fn send(&self) -> Result<Verdict, ProbeError> {
        let response = self.request().map_err(|reason| ProbeError::NoResponse { reason })?;
        Ok(Verdict::of(&response, self.maintenance_ok))
    }

    /// The exchange runs on another thread, so that neither a resolver nor a server that sends a byte a second can
    /// delay this one. After the timeout that thread ends soon, unless the resolver or the connection to a Unix socket
    /// blocks it.
    fn request(&self) -> Result<Response, String> {
        let timeout = self.timeout;
        let deadline = Instant::now() + timeout;
        let (progress, observed) = mpsc::channel();
        let probe = self.clone();
        thread::Builder::new()
            .name("health-probe".to_owned())
            .spawn(move || {
                let result = exchange::run(&probe, deadline, &progress);
                // After the timeout there is no receiver.
                let _ = progress.send(Progress::Done(result));
            })
            .map_err(|error| format!("cannot start a thread: {error}"))?;

        let mut stage = Stage::Resolving;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match observed.recv_timeout(left) {
                Ok(Progress::Reached(reached)) => stage = reached,
                Ok(Progress::Done(Ok(response))) => return Ok(response),
                // The thread of the exchange has a timeout, too.
                Ok(Progress::Done(Err(reason))) if Instant::now() < deadline => return Err(reason),
                Ok(Progress::Done(Err(_))) | Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("timed out after {timeout:?} {stage}"));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(format!("gave up {stage}")),
            }
        }
    }
}
