//! The stop of a server after a drain (H26).

use std::future::Future;
use std::io;
use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::rt::time::sleep;
use health_core::{FIRST_REQUEST, with_stop};

/// Stops `server` when `drained` completes, so that no client that has just connected loses its request. Returns a future
/// that completes when the server has ended, with its result. It stops no server until it is polled; dropping it drops
/// the server.
///
/// `listener` is a clone of the listener of the server, and `drained` the future of
/// [`drain_when`](crate::Health::drain_when). Disable the server's own handling of signals, which would stop it at once, and
/// wrap the application with the [`middleware`](crate::middleware). Pass the returned future to
/// [`shut_down_after`](crate::Health::shut_down_after):
///
/// ```no_run
/// use std::net::TcpListener;
/// use std::time::Duration;
///
/// use actix_web::{App, HttpServer, web};
/// use health_actix_web::{Drain, Health, Signals};
///
/// async fn run(health: Health, signals: Signals) -> Result<(), Box<dyn std::error::Error>> {
///     let endpoints = health.clone();
///     let app = move || {
///         App::new()
///             .route("/", web::get().to(async || "shop"))
///             .wrap(health_actix_web::middleware(&endpoints))
///     };
///     let listener = TcpListener::bind("127.0.0.1:8080")?;
///     let server = HttpServer::new(app).disable_signals().listen(listener.try_clone()?)?.run();
///     let drain = Drain::at_least(Duration::from_secs(5)).at_most(Duration::from_secs(25))?;
///     let server = health_actix_web::serve(server, listener, health.drain_when(signals, drain));
///     health.shut_down_after(server).await.exit()
/// }
/// ```
///
/// When `drained` completes:
///
/// 1. The system refuses new connections ([`refuse_connections`](crate::refuse_connections)).
/// 2. For another second, the server accepts the connections that the system has queued, and serves requests. Each
///    response closes its connection.
/// 3. The server stops, gracefully: it closes the connections that are idle, and waits for the last requests for at most
///    its [`shutdown_timeout`](actix_web::HttpServer::shutdown_timeout).
///
/// If the system cannot refuse connections, for example because it is not Linux, or because another process has the same
/// listener, the server stops at once. Then the system resets the connections that it has queued for this process.
pub fn serve(
    server: Server,
    listener: TcpListener,
    drained: impl Future<Output = ()>,
) -> impl Future<Output = io::Result<()>> {
    let handle = server.handle();
    let stop = async move {
        drained.await;
        if refuses_connections(&listener) {
            sleep(FIRST_REQUEST).await;
        }
        // Or the listener would outlive that of the server.
        drop(listener);
        handle.stop(true).await;
    };
    with_stop(server, stop)
}

#[cfg(unix)]
fn refuses_connections(listener: &TcpListener) -> bool {
    crate::refuse_connections(listener).is_ok()
}

#[cfg(not(unix))]
fn refuses_connections(_: &TcpListener) -> bool {
    false
}
