//! The service and a layer for tower.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use health_core::Endpoints;
use hyper::body::Body;
use hyper::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::HealthBody;
use crate::future::HealthFuture;
use crate::{ClientAddress, HealthService, cover, service};

/// A layer that adds the health endpoints to a service, and covers the application, like [`service`].
///
/// The resulting service is always ready: the endpoints respond even while the inner service is not ready. The future
/// of any other request waits until a clone of the inner service is ready. Layers around this one therefore do not see
/// whether the inner service is ready.
#[derive(Debug, Clone)]
pub struct HealthLayer {
    endpoints: Endpoints,
}

impl HealthLayer {
    /// Creates a layer for a [`Health`](crate::Health), an [`EndpointHandle`](crate::EndpointHandle) or an array of
    /// these.
    pub fn new(endpoints: impl Into<Endpoints>) -> Self {
        let endpoints = endpoints.into();
        endpoints.start_on_tokio();
        Self { endpoints }
    }
}

impl<S> Layer<S> for HealthLayer {
    type Service = HealthService<S>;

    fn layer(&self, inner: S) -> HealthService<S> {
        service(self.endpoints.clone(), inner)
    }
}

/// Always ready, because the endpoints have to respond even if the application is too busy to.
impl<S, B, R> Service<Request<B>> for HealthService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body,
{
    type Response = Response<HealthBody<R>>;
    type Error = S::Error;
    type Future = HealthFuture<Oneshot<S, Request<B>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        cover(&self.endpoints, request, ClientAddress::of, |request| Oneshot {
            state: State::Waits { inner: self.inner.clone(), request: Some(request) },
        })
    }
}

pin_project! {
    /// The future of a request for the application: waits until the inner service is ready, and calls it.
    #[derive(Debug)]
    pub struct Oneshot<S: Service<Q>, Q> {
        #[pin]
        state: State<S, Q, S::Future>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StatePinned]
    enum State<S, Q, F> {
        Waits { inner: S, request: Option<Q> },
        Called { #[pin] future: F },
    }
}

impl<S: Service<Q>, Q> Future for Oneshot<S, Q> {
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let future = match this.state.as_mut().project() {
                StatePinned::Waits { inner, request } => {
                    ready!(inner.poll_ready(context))?;
                    // `Some`: once it is taken, the state changes.
                    match request.take() {
                        Some(request) => inner.call(request),
                        None => return Poll::Pending,
                    }
                }
                StatePinned::Called { future } => return future.poll(context),
            };
            this.state.set(State::Called { future });
        }
    }
}
