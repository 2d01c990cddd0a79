//! The middleware that covers an application.

use std::any::Any;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::{fmt, mem};

use actix_web::body::{BodySize, BoxBody, MessageBody};
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
/// requests](crate::Health::active_requests), until the end of their bodies (one of known length up to 64 KiB counts as sent with its
/// head, and so does that of an error), and while draining HTTP/1 responses have
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
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error, Future: 'static>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse;
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
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error, Future: 'static>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse;
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

/// Not inline, so that requests of the application save fewer registers.
#[inline(never)]
fn answer(endpoint: EndpointHandle, request: ServiceRequest) -> BoxedAnswer {
    Box::pin(async move {
        let answer = endpoint.respond(facts(&endpoint, &request)).await;
        request.into_response(response(answer))
    })
}

impl<F, B> Future for HealthFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>> + 'static,
    B: MessageBody + 'static,
{
    type Output = Result<ServiceResponse, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut polled = match this.kind.project() {
            KindProjection::Application { future } => poll_boxed(future, context),
            KindProjection::Endpoint { future } => future.as_mut().poll(context).map(Ok),
        };
        end(this.covered, &mut polled);
        polled
    }
}

/// Ends the request if its response is ready, unless the body keeps it active.
#[inline]
fn end(covered: &mut Option<Covered>, polled: &mut Polled<BoxBody>) {
    let Poll::Ready(result) = polled else { return };
    let covered = covered.take();
    if let Some(covered) = covered.filter(|covered| covered.changes(result)) {
        covered.change(polled);
    }
}

type Polled<B> = Poll<Result<ServiceResponse<B>, Error>>;
type PollFn<F, B> = fn(Pin<&mut F>, &mut Context<'_>) -> Polled<B>;

/// Polls `future` for a response with a boxed body. That of an [`HttpResponse`] is boxed already: then `F::poll` has the
/// right type, and the response is not moved into another. That would cost as much as all else that the middleware does.
#[inline]
fn poll_boxed<F, B>(future: Pin<&mut F>, context: &mut Context<'_>) -> Polled<BoxBody>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>> + 'static,
    B: MessageBody + 'static,
{
    let poll: PollFn<F, B> = F::poll;
    let any: &dyn Any = &poll;
    match any.downcast_ref::<PollFn<F, BoxBody>>() {
        Some(poll_boxed) => poll_boxed(future, context),
        None => poll(future, context).map_ok(ServiceResponse::map_into_boxed_body),
    }
}

/// The largest body that counts as sent with its head, in bytes: to follow it to its end would take the only allocation
/// that the middleware adds.
const BUFFER_SIZE: u64 = 64 * 1024;

/// Whether the request is active until the body of the response ends.
#[inline]
fn outlasts_head(response: &ServiceResponse) -> bool {
    match response.response().body().size() {
        BodySize::None => false,
        BodySize::Sized(size) => size > BUFFER_SIZE,
        BodySize::Stream => true,
    }
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
    /// Whether [`change`](Self::change) changes anything.
    #[inline]
    fn changes(&self, result: &Result<ServiceResponse, Error>) -> bool {
        self.active.health().is_draining() || result.as_ref().is_ok_and(outlasts_head)
    }

    /// Makes it the response as it is sent. Its body keeps the request active if it outlasts the head.
    #[inline(never)]
    fn change(self, polled: &mut Polled<BoxBody>) {
        if let Poll::Ready(result) = mem::replace(polled, Poll::Pending) {
            *polled = Poll::Ready(self.changed(result));
        }
    }

    fn changed(self, result: Result<ServiceResponse, Error>) -> Result<ServiceResponse, Error> {
        let mut response = result.map_err(|error| self.close_error(error))?;
        self.close(response.response_mut().head_mut());
        if !outlasts_head(&response) {
            return Ok(response);
        }
        Ok(response.map_body(|_, body| BoxBody::new(ActiveBody { body, _covered: self })))
    }

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

/// A body whose request is active until this is dropped.
struct ActiveBody {
    body: BoxBody,
    _covered: Covered,
}

impl MessageBody for ActiveBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}
