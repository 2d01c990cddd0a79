//! A server whose connections end with a drain (H26).

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use health_core::Endpoints;
use hyper::body::Incoming;
use hyper::service::service_fn;
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, EndpointExt as _, IntoEndpoint};
use tokio::net::TcpListener;

/// Serves `app` and the health endpoints over HTTP/1 and HTTP/2, until `drained` completes and all connections have
/// ended. Use it instead of `poem::Server`, which resets connections that the system has just accepted when it stops,
/// and which sends GOAWAY only then. Returns a future that does nothing until it is polled; dropping it aborts all
/// connections and their requests.
///
/// `endpoints` is a [`Health`](crate::Health), an [`EndpointHandle`](crate::EndpointHandle) or an array of these. They
/// take precedence over the routes of `app`, and `app` is covered: it does not need [`middleware`](crate::middleware).
///
/// `drained` is the future of [`drain_when`](crate::Health::drain_when). Pass the returned future to
/// [`shut_down_after`](crate::Health::shut_down_after):
///
/// ```no_run
/// use std::time::Duration;
///
/// use health_poem::{Drain, Health, Signals};
/// use poem::{Route, get, handler};
/// use tokio::net::TcpListener;
///
/// #[handler]
/// fn shop() -> &'static str {
///     "shop"
/// }
///
/// async fn run(health: Health, signals: Signals) -> Result<(), Box<dyn std::error::Error>> {
///     let app = Route::new().at("/", get(shop));
///     let listener = TcpListener::bind("127.0.0.1:8080").await?;
///     let drain = Drain::at_least(Duration::from_secs(5)).at_most(Duration::from_secs(25))?;
///     let drained = health.drain_when(signals, drain);
///     let server = health_poem::serve(listener, app, &health, drained);
///     health.shut_down_after(server).await.exit()
/// }
/// ```
///
/// [`health_hyper::serve`](https://docs.rs/health-hyper/latest/health_hyper/fn.serve.html) describes how connections
/// end. Options of `poem::Server`, such as its limits for HTTP/2, do not exist here. Web sockets belong to their
/// handlers: hold [`Health::track`](crate::Health::track) as long as they last.
pub fn serve<E, D>(
    listener: TcpListener,
    app: E,
    endpoints: impl Into<Endpoints>,
    drained: D,
) -> impl Future<Output = ()> + Send
where
    E: IntoEndpoint,
    E::Endpoint: 'static,
    D: Future<Output = ()> + Send,
{
    // The address of a bound listener is always known.
    let unknown = || SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let local = listener.local_addr().unwrap_or_else(|_| unknown());
    let local = LocalAddr(Addr::SocketAddr(local));
    let app = Arc::new(app.into_endpoint().map_to_response());
    let make_service = move |client: &SocketAddr| {
        let (app, local) = (app.clone(), local.clone());
        let remote = RemoteAddr(Addr::SocketAddr(*client));
        service_fn(move |request: hyper::Request<Incoming>| {
            let app = app.clone();
            let request = (request, local.clone(), remote.clone(), Scheme::HTTP).into();
            async move {
                let response = poem::Endpoint::get_response(&*app, request).await;
                Ok::<_, Infallible>(hyper::Response::from(response))
            }
        })
    };
    health_hyper::serve(listener, make_service, endpoints, drained)
}
