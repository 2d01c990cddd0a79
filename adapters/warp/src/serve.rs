//! A server whose connections end with a drain (H26).

use std::future::Future;

use health_core::Endpoints;
use health_hyper::Accept;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tower_service::Service as _;
use warp::Filter;
use warp::http::Request;
use warp::reply::Reply;

use crate::cover::MayReject;

/// Serves `app` and the health endpoints over HTTP/1 and HTTP/2, until `drained` completes and all connections have
/// ended. Use it instead of `warp::serve`, which resets connections that the system has just accepted when it stops,
/// and which sends GOAWAY only then. Returns a future that does nothing until it is polled; dropping it aborts all
/// connections and their requests.
///
/// `endpoints` is a [`Health`](crate::Health), an [`EndpointHandle`](crate::EndpointHandle) or an array of these. They
/// take precedence over the filters of `app`, and `app` is covered: it needs neither [`filter`](crate::filter()) nor
/// [`wrap`](crate::wrap).
///
/// `drained` is the future of [`drain_when`](crate::Health::drain_when). Pass the returned future to
/// [`shut_down_after`](crate::Health::shut_down_after):
///
/// ```no_run
/// use std::time::Duration;
///
/// use health_warp::{Drain, Health, Signals};
/// use tokio::net::TcpListener;
/// use warp::Filter;
///
/// async fn run(health: Health, signals: Signals) -> Result<(), Box<dyn std::error::Error>> {
///     let app = warp::path::end().map(|| "shop");
///     let listener = TcpListener::bind("127.0.0.1:8080").await?;
///     let drain = Drain::at_least(Duration::from_secs(5)).at_most(Duration::from_secs(25))?;
///     let drained = health.drain_when(signals, drain);
///     let server = health_warp::serve(listener, app, &health, drained);
///     health.shut_down_after(server).await.exit()
/// }
/// ```
///
/// [`health_hyper::serve`](https://docs.rs/health-hyper/latest/health_hyper/fn.serve.html) describes how connections
/// end. The filter `warp::addr::remote` of warp finds no address on this server. Web sockets belong to their handlers:
/// hold [`Health::track`](crate::Health::track) as long as they last.
pub fn serve<A, F, R, D>(
    listener: A,
    app: F,
    endpoints: impl Into<Endpoints>,
    drained: D,
) -> impl Future<Output = ()> + Send
where
    A: Accept,
    F: Filter<Extract = (R,), Error: MayReject> + Clone + Send + Sync + 'static,
    R: Reply + 'static,
    D: Future<Output = ()> + Send,
{
    let app = MayReject::recover(app.map(Reply::into_response));
    let make_service = move |_: &_| {
        let app = app.clone();
        // Always ready.
        service_fn(move |request: Request<Incoming>| warp::service(app.clone()).call(request))
    };
    health_hyper::serve(listener, make_service, endpoints, drained)
}
