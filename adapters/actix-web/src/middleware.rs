//! The middleware that covers an application.

use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ResponseHead, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::InternalError;
use actix_web::http::{ConnectionType, Version};
use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse};
use health_core::{ActiveRequest, EndpointHandle, Endpoints};
use pin_project_lite::pin_project;

use crate::{facts, response};

/// Returns a middleware that responds to every method except `CONNECT` at exactly the path of each health endpoint, and
/// passes every other request to the application. [Wrap](actix_web::App::wrap) the application with it, last.
///
/// Accepts a [`Health`](crate::Health), an [`EndpointHandle`](crate::EndpointHandle) or an array of these. The
/// endpoints take precedence over every service of the application. Middleware that is added later also covers the
/// endpoints.
///
/// The middleware also covers the application for a [drain](crate::Health::drain_when): it counts the [active
/// requests](crate::Health::active_requests), until the end of their bodies, and while draining HTTP/1 responses have
/// the header `Connection: close`, after which actix-web closes their connections
/// ([H26](https://docs.rs/health-core/latest/health_core/contract/index.html#h26)). Web sockets are bodies, and active
/// until they end.
///
/// ```
/// # use actix_web::{App, web};
/// # use health_actix_web::{Endpoint, Health};
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// let app = App::new()
///     .route("/", web::get().to(async || "the application"))
///     .wrap(health_actix_web::middleware(health));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn middleware(endpoints: impl Into<Endpoints>) -> HealthMiddleware {
    let endpoints = endpoints.into();
    endpoints.start_on_tokio();
    HealthMiddleware { endpoints }
}

/// The middleware that [`middleware`] returns.
#[derive(Debug, Clone)]
pub struct HealthMiddleware {
    endpoints: Endpoints,
}

impl<S, B> Transform<S, ServiceRequest> for HealthMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<HealthBody<B>>;
    type Error = Error;
    type Transform = HealthService<S>;
    type InitError = ();
    type Future = Ready<Result<HealthService<S>, ()>>;

    fn new_transform(&self, app: S) -> Self::Future {
        ready(Ok(HealthService { endpoints: self.endpoints.clone(), app }))
    }
}

/// An application behind [`HealthMiddleware`].
#[derive(Debug)]
pub struct HealthService<S> {
    endpoints: Endpoints,
    app: S,
}

impl<S, B> Service<ServiceRequest> for HealthService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<HealthBody<B>>;
    type Error = Error;
    type Future = HealthFuture<S::Future>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.app.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let active = self.endpoints.health().track();
        let is_http1 = request.version() <= Version::HTTP_11;
        let kind = match self.endpoints.route(request.method(), request.uri().path()) {
            None => Kind::Application { future: self.app.call(request) },
            Some(endpoint) => Kind::Endpoint { future: answer(endpoint.clone(), request) },
        };
        HealthFuture { kind, covered: Some(Covered { active, is_http1 }) }
    }
}

pin_project! {
    /// The future of a response.
    pub struct HealthFuture<F> {
        #[pin]
        kind: Kind<F>,
        // Until it is ready.
        covered: Option<Covered>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<F> {
        Application { #[pin] future: F },
        Endpoint { future: BoxedAnswer },
    }
}

type BoxedAnswer = Pin<Box<dyn Future<Output = ServiceResponse>>>;

fn answer(endpoint: EndpointHandle, request: ServiceRequest) -> BoxedAnswer {
    Box::pin(async move {
        let answer = endpoint.respond(facts(&endpoint, &request)).await;
        request.into_response(response(answer))
    })
}

impl<F, B> Future for HealthFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody + 'static,
{
    type Output = Result<ServiceResponse<HealthBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.kind.project() {
            KindProjection::Application { future } => {
                Poll::Ready(match ready!(future.poll(context)) {
                    Ok(response) => Ok(cover(response, EitherBody::left, this.covered.take())),
                    Err(error) => Err(match this.covered.take() {
                        Some(covered) => covered.close_error(error),
                        None => error,
                    }),
                })
            }
            KindProjection::Endpoint { future } => {
                let response = ready!(future.as_mut().poll(context));
                Poll::Ready(Ok(cover(response, EitherBody::right, this.covered.take())))
            }
        }
    }
}

/// The response with a body that keeps its request active.
fn cover<B, C>(
    response: ServiceResponse<B>,
    either: impl FnOnce(B) -> EitherBody<C, BoxBody>,
    covered: Option<Covered>,
) -> ServiceResponse<HealthBody<C>> {
    response.map_body(|head, body| {
        if let Some(covered) = &covered {
            covered.close(head);
        }
        HealthBody { body: either(body), _covered: covered }
    })
}

impl<F> fmt::Debug for HealthFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthFuture").finish_non_exhaustive()
    }
}

/// A request.
#[derive(Debug)]
struct Covered {
    active: ActiveRequest,
    is_http1: bool,
}

impl Covered {
    /// actix-web sends its own `Connection` header, in place of those of the application.
    fn close(&self, response: &mut ResponseHead) {
        if self.closes(response.status.as_u16()) {
            response.set_connection_type(ConnectionType::Close);
        }
    }

    fn closes(&self, status: u16) -> bool {
        self.is_http1 && self.active.closes_connection(status)
    }

    /// actix-web turns the error into a response when no middleware is left that could.
    fn close_error(&self, error: Error) -> Error {
        if !self.closes(error.as_response_error().status_code().as_u16()) {
            return error;
        }
        let mut response: HttpResponse = error.error_response();
        self.close(response.head_mut());
        InternalError::from_response(error, response).into()
    }
}

pin_project! {
    /// The body of a response. Its request is active until this is dropped.
    #[derive(Debug)]
    pub struct HealthBody<B> {
        #[pin]
        body: EitherBody<B, BoxBody>,
        _covered: Option<Covered>,
    }
}

impl<B: MessageBody + 'static> MessageBody for HealthBody<B> {
    type Error = Box<dyn StdError>;

    #[inline]
    fn size(&self) -> BodySize {
        self.body.size()
    }

    #[inline]
    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let body = self.project().body;
        body.poll_next(context).map_err(Into::into)
    }

    #[inline]
    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, _covered } = self;
        body.try_into_bytes().map_err(|body| Self { body, _covered })
    }
}
