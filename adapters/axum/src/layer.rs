//! The layer that responds to the requests of the endpoints, and covers those of the application (H26).

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::http::Extensions;
use axum::response::Response;
use health_core::Endpoints;
use health_hyper::{ClientAddress, HealthFuture};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// Returns a layer that responds at the paths of the health endpoints, and covers the application
/// ([H26](https://docs.rs/health-core/latest/health_core/contract/index.html#h26)): each request is
/// [active](crate::Health::active_requests) until the body of its response has ended, and during a drain every response
/// over HTTP/1 gets `Connection: close`.
///
/// Accepts a [`Health`](crate::Health), an [`EndpointHandle`](crate::EndpointHandle) or an array of these. If they
/// belong to several `Health`s, the first one counts.
///
/// Pass it to [`Router::layer`](axum::Router::layer) after all routes, which must be covered. The endpoints take
/// precedence over routes at the same paths. Layers that are added before apply only to the application, and layers
/// that are added after also apply to the endpoints.
///
/// ```
/// use axum::{Router, routing::get};
/// use health_axum::{Endpoint, Health};
///
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// let app: Router = Router::new()
///     .route("/", get(|| async { "shop" }))
///     .layer(health_axum::layer(health));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A response whose length is known and at most 64 KiB counts as ended when its handler has returned it. The body of
/// any other response is boxed once more.
///
/// # Web sockets
///
/// A web socket outlives its request: hold [`Health::track`](crate::Health::track) as long as it lasts. Handlers get
/// the `Health` by [`State`](axum::extract::State), because the layer adds nothing to requests.
///
/// ```
/// use axum::extract::State;
/// use axum::response::Response;
/// use health_axum::Health;
/// # struct Socket;
/// # struct WebSocketUpgrade; // that of axum needs its feature `ws`
/// # impl WebSocketUpgrade {
/// #     fn on_upgrade<F: Future<Output = ()>>(self, _: impl FnOnce(Socket) -> F) -> Response { Response::default() }
/// # }
/// # async fn serve(_: Socket) {}
///
/// async fn socket(upgrade: WebSocketUpgrade, State(health): State<Health>) -> Response {
///     upgrade.on_upgrade(move |socket| async move {
///         let _active = health.track(); // until the socket has ended
///         tokio::select! {
///             () = serve(socket) => {}
///             () = health.draining() => {} // a drain has begun
///         }
///     })
/// }
/// ```
///
/// # Pollers
///
/// A [`Drain`](crate::Drain) that may end early tells pollers apart by their `User-Agent`, and by their address if the
/// server adds a [`ClientAddress`] to requests or, with the feature `serve`, `ConnectInfo<SocketAddr>`.
pub fn layer(endpoints: impl Into<Endpoints>) -> HealthLayer {
    let endpoints = endpoints.into();
    endpoints.start_on_tokio();
    HealthLayer { endpoints }
}

/// The layer that [`layer`] returns.
#[derive(Debug, Clone)]
pub struct HealthLayer {
    endpoints: Endpoints,
}

impl<S> Layer<S> for HealthLayer {
    type Service = HealthService<S>;

    fn layer(&self, inner: S) -> HealthService<S> {
        HealthService { endpoints: self.endpoints.clone(), inner }
    }
}

/// The service that [`HealthLayer`] makes of an application.
#[derive(Debug, Clone)]
pub struct HealthService<S> {
    endpoints: Endpoints,
    inner: S,
}

impl<S: Service<Request, Response = Response>> Service<Request> for HealthService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let Self { endpoints, inner } = self;
        let future = health_hyper::cover(endpoints, request, client, |request| inner.call(request));
        ResponseFuture { future }
    }
}

pin_project! {
    /// The future of a response: that of a health endpoint, or `F`, that of the application.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        future: HealthFuture<F>,
    }
}

impl<F, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll_boxed(context, Body::new)
    }
}

/// The address of the client, if the server has added it to the request.
pub(crate) fn client(extensions: &Extensions) -> Option<IpAddr> {
    #[cfg(feature = "serve")]
    {
        use std::net::SocketAddr;

        use axum::extract::ConnectInfo;

        if let Some(ConnectInfo(address)) = extensions.get::<ConnectInfo<SocketAddr>>() {
            return Some(address.ip());
        }
    }
    ClientAddress::of(extensions)
}
