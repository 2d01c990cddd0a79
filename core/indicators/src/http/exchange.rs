//! The request, and what is made of the response.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;
use std::pin::pin;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Either, Fuse, select};
use health_core::{CheckResult, Unit};
use http::header::{HOST, USER_AGENT};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use crate::address::{Address, ConnectError};
use crate::failure::BoxError;
use crate::{reason, url};

/// The longest head of a response.
const MAX_HEAD: usize = 64 * 1024;

/// The longest body after which a connection is kept.
const MAX_BODY: usize = 64 * 1024;

const OUR_USER_AGENT: &str = concat!("health-indicators/", env!("CARGO_PKG_VERSION"));

/// The request, and which responses are accepted.
#[derive(Clone)]
pub(super) struct Exchange {
    address: Address,
    /// The path and query.
    uri: Uri,
    pub(super) headers: HeaderMap,
    /// The default, if there is none.
    pub(super) accepted: Vec<RangeInclusive<u16>>,
    /// Whether no connection is kept.
    pub(super) is_fresh: bool,
}

/// A connection, with the future that reads and writes. No task does, so nothing happens between the tests. `None` after
/// an exchange that leaves the connection unusable.
pub(super) struct Connection(Option<(SendRequest<Empty<Bytes>>, Driver)>);

type Driver = Fuse<BoxFuture<'static, ()>>;

impl Exchange {
    /// Reads a URL, which the error does not contain.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (address, uri) = url::parse(url)?;
        let host = uri.authority().map_or("", Authority::as_str);
        let host = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
        let headers = [(HOST, host), (USER_AGENT, HeaderValue::from_static(OUR_USER_AGENT))];
        let path = uri.path_and_query().cloned();
        Ok(Self {
            address,
            uri: path.map(Uri::from).unwrap_or_default(),
            headers: headers.into_iter().collect(),
            accepted: Vec::new(),
            is_fresh: false,
        })
    }

    pub(super) async fn connect(&self) -> Result<Connection, BoxError> {
        let stream = self.address.connect().await?;
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEAD);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        // The exchange gets its errors.
        let driver = connection.map(|_| ()).boxed().fuse();
        Ok(Connection(Some((sender, driver))))
    }

    pub(super) async fn get(&self, connection: &mut Connection) -> Result<CheckResult, BoxError> {
        let (mut sender, mut driver) = connection.0.take().ok_or(Unusable)?;
        let exchanged = match select(pin!(self.exchange(&mut sender)), &mut driver).await {
            Either::Left((exchanged, _)) => exchanged,
            Either::Right(((), exchange)) => exchange.await,
        };
        let (result, is_usable) = exchanged?;
        if is_usable && !self.is_fresh {
            connection.0 = Some((sender, driver));
        }
        Ok(result)
    }

    /// The result, and whether the connection can be used again.
    async fn exchange(
        &self,
        sender: &mut SendRequest<Empty<Bytes>>,
    ) -> Result<(CheckResult, bool), BoxError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let (result, is_usable) = if self.accepts(status) {
            (CheckResult::ok(), is_short(response.into_body()).await?)
        } else {
            let reason = match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => reason::UNAUTHORIZED,
                _ => reason::STATUS,
            };
            (CheckResult::error(format!("the response is {status}")).reason(reason), false)
        };
        Ok((result.value("status", status.as_u16().into(), Unit::Count), is_usable))
    }

    fn accepts(&self, status: StatusCode) -> bool {
        if self.accepted.is_empty() {
            return status.is_success();
        }
        self.accepted.iter().any(|range| range.contains(&status.as_u16()))
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths and queries can contain tokens.
        f.debug_struct("Exchange").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Reads a body to its end, unless it is too long.
async fn is_short(mut body: Incoming) -> Result<bool, hyper::Error> {
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        read += frame?.data_ref().map_or(0, Bytes::len);
        if read > MAX_BODY {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The reason of an error of hyper, or of connecting.
pub(super) fn classify(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // hyper's, for a chunk that is none.
        return (error.kind() == ErrorKind::InvalidInput).then_some(reason::PROTOCOL);
    }
    let Some(error) = error.downcast_ref::<hyper::Error>() else {
        return ConnectError::reason(error);
    };
    if error.is_parse() {
        Some(reason::PROTOCOL)
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        Some(reason::CLOSED)
    } else {
        None
    }
}

/// The connection must be replaced, which is no failure.
#[derive(Debug)]
struct Unusable;

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was closed after the last response")
    }
}

impl Error for Unusable {}
