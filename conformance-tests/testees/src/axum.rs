//! The axum adapter, mounted in a server.

use std::future::ready;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use futures::FutureExt as _;
use health_axum::Health;
use health_conformance::Server;
use health_conformance::testee::Application;

/// Serves the application, which the layer covers.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve(health: Health, application: Application) -> io::Result<Server> {
    serve_app(|| pages(application).layer(health_axum::layer(health)))
}

/// Serves the router of the endpoints, without an application.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve_router(health: Health, _: Application) -> io::Result<Server> {
    serve_app(|| health_axum::router(health))
}

/// The pages of the application.
pub fn pages(application: Application) -> Router {
    let streamed = application.clone();
    let slow = move || application.finish().map(|()| "finished");
    let stream = move || ready(Body::from_stream(streamed.stream()));
    Router::new()
        .route("/application", any("application"))
        .route("/slow", any(slow))
        .route("/stream", any(stream))
}

/// Serves the application that `mount` creates inside the runtime.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve_app(mount: impl FnOnce() -> Router) -> io::Result<Server> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_io().build()?;
    let inside = runtime.enter();
    let app = mount();
    drop(inside);
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, app).await
    });
    Ok(Server::new(address, || runtime.shutdown_background()))
}
