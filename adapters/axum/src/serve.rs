//! A server whose connections end with a drain (H26).

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::io;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::Extensions;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use axum::serve::Listener;
use health_core::Endpoints;
use health_hyper::Accept;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tower_service::Service as _;

/// Serves `app` and the health endpoints over HTTP/1 and HTTP/2, until `drained` completes and all connections have
/// ended. Use it instead of [`axum::serve()`], which tells no client that the connection closes. Returns a future that
/// does nothing until it is polled; dropping it aborts all connections and their requests.
///
/// `endpoints` is a [`Health`](crate::Health), an [`EndpointHandle`](crate::EndpointHandle) or an array of these. They
/// take precedence over the routes of `app`, and `app` is covered: it needs neither [`router`](crate::router) nor
/// [`layer`](crate::layer).
///
/// `drained` is the future of [`drain_when`](crate::Health::drain_when). Pass the returned future to
/// [`shut_down_after`](crate::Health::shut_down_after):
///
/// ```no_run
/// use std::time::Duration;
///
/// use axum::{Router, routing::get};
/// use health_axum::{Drain, Health, Signals};
/// use tokio::net::TcpListener;
///
/// async fn run(health: Health, signals: Signals) -> Result<(), Box<dyn std::error::Error>> {
///     let app = Router::new().route("/", get(|| async { "shop" }));
///     let listener = TcpListener::bind("127.0.0.1:8080").await?;
///     let drain = Drain::at_least(Duration::from_secs(5)).at_most(Duration::from_secs(25))?;
///     let drained = health.drain_when(signals, drain);
///     let server = health_axum::serve(listener, app, &health, drained);
///     health.shut_down_after(server).await.exit()
/// }
/// ```
///
/// # Connections
///
/// [`health_hyper::serve`](https://docs.rs/health-hyper/latest/health_hyper/fn.serve.html) describes how connections
/// end. Any [`Listener`] of axum is accepted. At its close, the system resets the connections that it has accepted and
/// the listener has not; of a [`TcpListener`], the server takes them first. Web sockets belong to their handlers: see
/// [`layer`](crate::layer#web-sockets).
///
/// If handlers extract [`ConnectInfo`], call [`serve_with_connect_info`] instead.
pub fn serve<L, D>(
    listener: L,
    app: Router,
    endpoints: impl Into<Endpoints>,
    drained: D,
) -> impl Future<Output = ()> + Send
where
    L: Listener<Addr: 'static>,
    D: Future<Output = ()> + Send,
{
    // As `axum::serve` does: the routes are made once.
    let app = app.with_state(());
    let make = move |_: &_| App { app: app.clone(), connect_info: () };
    health_hyper::serve(Accepts(listener), make, endpoints, drained)
}

/// Like [`serve`], for handlers that extract [`ConnectInfo<L::Addr>`](ConnectInfo), such as `ConnectInfo<SocketAddr>`.
/// This costs each request two allocations.
pub fn serve_with_connect_info<L, D>(
    listener: L,
    app: Router,
    endpoints: impl Into<Endpoints>,
    drained: D,
) -> impl Future<Output = ()> + Send
where
    L: Listener<Addr: Clone + Sync + 'static>,
    D: Future<Output = ()> + Send,
{
    let app = app.with_state(());
    let make = move |address: &L::Addr| {
        let connect_info = ConnectInfo(address.clone());
        App { app: app.clone(), connect_info }
    };
    health_hyper::serve(Accepts(listener), make, endpoints, drained)
}

/// A listener of axum, which handles errors itself.
struct Accepts<L>(L);

impl<L: Listener<Addr: Any>> Accept for Accepts<L> {
    type Io = L::Io;
    type Address = L::Addr;

    async fn accept(&mut self) -> io::Result<(L::Io, L::Addr)> {
        Ok(self.0.accept().await)
    }

    fn refuse(&self) {
        let listener: &dyn Any = &self.0;
        if let Some(listener) = listener.downcast_ref::<TcpListener>() {
            Accept::refuse(listener);
        }
    }

    // axum's trait has no such methods, so only the usual listener does this and the other.
    fn close(self) -> Vec<(L::Io, L::Addr)> {
        let listener: Option<TcpListener> = same(self.0);
        let accepted = listener.map(Accept::close).unwrap_or_default();
        accepted.into_iter().filter_map(same).collect()
    }
}

/// The value, if the two types are the same.
fn same<T: 'static, U: 'static>(value: T) -> Option<U> {
    let mut value = Some(value);
    let value: &mut dyn Any = &mut value;
    value.downcast_mut::<Option<U>>()?.take()
}

/// The application on one connection.
struct App<C> {
    app: Router,
    connect_info: C,
}

/// What a request gets of its connection.
trait Extend {
    fn extend(&self, extensions: &mut Extensions);
}

impl Extend for () {
    fn extend(&self, _: &mut Extensions) {}
}

impl<A: Clone + Send + Sync + 'static> Extend for ConnectInfo<A> {
    fn extend(&self, extensions: &mut Extensions) {
        extensions.insert(self.clone());
    }
}

impl<C: Extend> hyper::service::Service<Request<Incoming>> for App<C> {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    #[inline]
    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::new);
        self.connect_info.extend(request.extensions_mut());
        // A router is always ready.
        self.app.clone().call(request)
    }
}

#[cfg(test)]
mod tests {
    use axum::serve::ListenerExt as _;

    use super::*;

    async fn accepted_at_close<L: Listener>(listen: impl FnOnce(TcpListener) -> L) -> usize {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // The runtime has had no time to look for events.
        let _clients = [(); 3].map(|()| std::net::TcpStream::connect(address).unwrap());
        Accepts(listen(listener)).close().len()
    }

    #[tokio::test]
    async fn a_tcp_listener_that_closes_returns_what_the_system_has_accepted_and_others_do_not() {
        assert_eq!(accepted_at_close(|listener| listener).await, 3);
        assert_eq!(accepted_at_close(|listener| listener.tap_io(|_| ())).await, 0);
    }
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_tcp_listener_refuses_connections_and_others_do_not() {
        async fn refuses<L: Listener>(listen: impl FnOnce(TcpListener) -> L) -> bool {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let listener = Accepts(listen(listener));
            listener.refuse();
            std::net::TcpStream::connect(address).is_err()
        }

        assert!(refuses(|listener| listener).await);
        assert!(!refuses(|listener| listener.tap_io(|_| ())).await);
    }
}
