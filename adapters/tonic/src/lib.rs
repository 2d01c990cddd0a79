#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod error;
#[expect(
    unreachable_pub,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated; tests/generated.rs compares it with the proto"
)]
#[rustfmt::skip]
mod generated;
mod services;
mod status;
mod watching;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

#[doc(no_inline)]
pub use health_core::*;
use tonic::codegen::{BoxFuture, Service, StdError, http};
use tonic::server::NamedService;

pub use self::builder::HealthServerBuilder;
pub use self::error::ServiceError;
use self::generated::health_server;
use self::services::Services;

/// Returns the service `grpc.health.v1.Health`, for `Server::builder().add_service(…)` or `Routes`.
///
/// Accepts a [`Health`], an [`EndpointHandle`] or an array of these. The name of a service is the path of its endpoint,
/// such as `/ready`; [`HealthServer::builder`] adds names. The service `""` is the readiness of the application: the only
/// endpoint besides the one of `healthcheck.url` that steers traffic, may run checks, and ignores none of starting,
/// maintenance and draining, such as [`Endpoint::readiness`]. If there is none, it is the endpoint of
/// `healthcheck.url`.
///
/// ```
/// use health_tonic::{Endpoint, Health};
/// use tonic::transport::Server;
///
/// let health = Health::builder()
///     .endpoint(Endpoint::liveness("/live"))
///     .endpoint(Endpoint::readiness("/ready"))
///     .build()?;
/// let server = Server::builder().add_service(health_tonic::service(&health)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If no endpoint fits the service `""`, or several do, or two endpoints have the same path.
pub fn service(endpoints: impl Into<Endpoints>) -> Result<HealthServer, ServiceError> {
    HealthServer::builder(endpoints).build()
}

/// The service `grpc.health.v1.Health`. [`service`] returns it, or [`HealthServer::builder`]. Clones are cheap.
///
/// - *Check* responds as a request for the checks does: it runs them, is logged, and is a poll for a [`Drain`].
/// - *List* does the same for every endpoint, at the same time.
/// - *Watch* sends the first status and each change, and ends with the [drain](Health::drain_end). Like every [`Watch`],
///   it runs no check, except that a check on request without any result runs once.
///
/// The states [`Ok`](State::Ok) and [`Degraded`](State::Degraded) are `SERVING`, all others `NOT_SERVING`
/// ([H28](https://docs.rs/health-core/latest/health_core/contract/index.html#h28)).
#[derive(Clone)]
pub struct HealthServer {
    services: Arc<Services>,
    server: health_server::HealthServer<Services>,
}

impl HealthServer {
    /// Describes the service, with the path of each endpoint as a name. Accepts what [`service`] accepts.
    pub fn builder(endpoints: impl Into<Endpoints>) -> HealthServerBuilder {
        HealthServerBuilder::new(endpoints.into())
    }

    fn new(services: Services) -> Self {
        let services = Arc::new(services);
        let server = health_server::HealthServer::from_arc(services.clone());
        Self { server: server.max_decoding_message_size(services.longest_request()), services }
    }

    /// The name of each service and the path of its endpoint, in the order of the names.
    pub fn services(&self) -> impl Iterator<Item = (&str, &str)> {
        self.services.iter()
    }
}

impl NamedService for HealthServer {
    const NAME: &'static str = health_server::SERVICE_NAME;
}

impl<B> Service<http::Request<B>> for HealthServer
where
    B: tonic::codegen::Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        self.server.call(request)
    }
}

impl fmt::Debug for HealthServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.services()).finish()
    }
}
