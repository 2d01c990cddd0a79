//! Services of gRPC with the health service `grpc.health.v1`, by `tonic` 0.14.
//!
//! ```
//! use health_core::Health;
//! use health_indicators::{Indicator as _, tonic_0_14};
//!
//! let health = Health::builder()
//!     .register(tonic_0_14::connection("http://stock.example:50051", "").check("stock"))
//!     .build()?;
//! # Ok::<(), health_core::BuildError>(())
//! ```
//!
//! `service` is the name that the health service knows, such as `shop.Orders`; `""` is the whole server. Ask for what tells
//! whether the other service *lives*: if each service asks whether the next is ready, one slow database takes all of them out
//! of service.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::future::ready;

use ::tonic_0_14::client::Grpc;
use ::tonic_0_14::transport::{Channel, Endpoint};
use ::tonic_0_14::{Code, Request, Response, Status};
use health_core::CheckResult;
use http::uri::PathAndQuery;
use tonic_prost::ProstCodec;

use crate::failure::{BoxError, failure, redact};
use crate::{Kept, kept, reason, url};

const CHECK: &str = "/grpc.health.v1.Health/Check";

/// The longest message that is read. A response has two bytes.
const MAX_MESSAGE: usize = 4096;

/// Calls `grpc.health.v1.Health/Check` by its own connection, which is [kept](crate::kept()).
///
/// `uri` is as in `http://stock.example:50051`. With TLS, a Unix socket or credentials, make a channel that has them, and see
/// [`channel`].
///
/// If a kept connection returns another status than `SERVING`, a new connection asks once more.
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one; two while a broken or silent one is replaced |
/// | reasons | those of [`kept`](crate::kept()); `status` (`NOT_SERVING`, or an error of gRPC), `missing` (degraded: the server knows no such service, or has no health service, but it responds), `unauthorized`, `name`, `closed`, `protocol` (or `closed`, from a server that speaks first), `misconfigured` |
/// | values | `connects`: how many connections were opened so far |
/// | cost to the server | a call that most servers answer from memory |
/// | does not prove | that the other service can do its work: a server says `SERVING` until the program tells it otherwise. Behind a load balancer, that more than one instance responds |
pub fn connection(uri: impl AsRef<str>, service: impl Into<String>) -> Kept<Channel> {
    let endpoint = url::parse(uri.as_ref()).map(|(_, uri)| Endpoint::from(uri));
    let connect = move || {
        let endpoint = endpoint.clone();
        async move { Ok::<_, BoxError>(endpoint.map_err(Mistake)?.connect().await?) }
    };
    check(connect, service.into())
}

/// As [`connection`], by a channel of the application. It has room for many calls, so that the application does not wait.
///
/// The value `connects` is how often the check began anew. A channel that has lost its connection opens another one, so the
/// first failure is tried again at once.
pub fn channel(channel: &Channel, service: impl Into<String>) -> Kept<Channel> {
    let channel = channel.clone();
    check(move || ready(Ok::<_, BoxError>(channel.clone())), service.into())
}

fn check<Connecting>(
    connect: impl Fn() -> Connecting + Send + Sync + 'static,
    service: String,
) -> Kept<Channel>
where
    Connecting: Future<Output = Result<Channel, BoxError>> + Send + 'static,
{
    kept(connect, move |channel: &mut Channel| {
        let (channel, service) = (channel.clone(), service.clone());
        Box::pin(async move {
            let mut grpc = Grpc::new(channel).max_decoding_message_size(MAX_MESSAGE);
            grpc.ready().await?;
            let request = Request::new(HealthCheckRequest { service });
            let path = PathAndQuery::from_static(CHECK);
            let response = grpc.unary(request, path, ProstCodec::default()).await;
            Ok::<_, BoxError>(result(response.map(Response::into_inner)))
        })
    })
    .classify(classify)
}

/// The messages of grpc/health/v1/health.proto.
#[derive(Clone, PartialEq, prost::Message)]
struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct HealthCheckResponse {
    /// Not as an enumeration, so that an unknown status is seen.
    #[prost(int32, tag = "1")]
    status: i32,
}

fn result(response: Result<HealthCheckResponse, Status>) -> CheckResult {
    let no_service = "the server does not know this service";
    match response {
        Ok(HealthCheckResponse { status: 1 }) => CheckResult::ok(),
        Ok(HealthCheckResponse { status: 2 }) => {
            CheckResult::error("the status is NOT_SERVING").reason(reason::STATUS)
        }
        Ok(HealthCheckResponse { status: 3 }) => {
            CheckResult::degraded(no_service).reason(reason::MISSING)
        }
        Ok(HealthCheckResponse { status: 0 }) => {
            CheckResult::error("the status is UNKNOWN").reason(reason::STATUS)
        }
        Ok(HealthCheckResponse { status }) => {
            CheckResult::error(format!("the status is {status}")).reason(reason::STATUS)
        }
        Err(status) => of_status(&status, no_service),
    }
}

fn of_status(status: &Status, no_service: &str) -> CheckResult {
    // One that the client made: the connection failed.
    if let Some(cause) = status.source() {
        return failure(cause, classify);
    }
    let text = match status.message() {
        "" => format!("{:?}", status.code()),
        message => format!("{:?}: {}", status.code(), redact(message)),
    };
    match status.code() {
        Code::NotFound => CheckResult::degraded(no_service).reason(reason::MISSING),
        Code::Unimplemented => {
            let text = "the server responds, but has no health service";
            CheckResult::degraded(text).reason(reason::MISSING)
        }
        Code::Unauthenticated | Code::PermissionDenied => {
            CheckResult::error(text).reason(reason::UNAUTHORIZED)
        }
        _ => CheckResult::error(text).reason(reason::STATUS),
    }
}

/// Why there is no endpoint.
#[derive(Debug)]
struct Mistake(String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Mistake {}

fn classify(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if error.is::<Mistake>() {
        return Some(reason::MISCONFIGURED);
    }
    // Of hyper, which tonic hides.
    match error.to_string().as_str() {
        "http2 error" => Some(reason::PROTOCOL),
        "operation was canceled" => Some(reason::CLOSED),
        _ => None,
    }
}
