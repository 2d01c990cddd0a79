//! The poem adapter, mounted in a server.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use health_conformance::Server;
use health_conformance::testee::Application;
use health_poem::Health;
use poem::endpoint::{make, make_sync};
use poem::listener::TcpAcceptor;
use poem::{Body, Endpoint, EndpointExt, Route};

/// Serves the endpoints and the application.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve(health: Health, application: Application) -> io::Result<Server> {
    let streamed = application.clone();
    let slow = async move |finish| {
        finish.await;
        "finished"
    };
    let routes = Route::new()
        .at("/application", make_sync(|_| "application"))
        .at("/slow", make(move |_| slow(application.finish())))
        .at("/stream", make_sync(move |_| Body::from_bytes_stream(streamed.stream())));
    serve_app(|| routes.with(health_poem::middleware(health)))
}

/// Serves the application that `mount` creates inside the runtime.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve_app<E: Endpoint + 'static>(mount: impl FnOnce() -> E) -> io::Result<Server> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_io().build()?;
    let inside = runtime.enter();
    let app = mount();
    drop(inside);
    runtime.spawn(async move {
        let acceptor = TcpAcceptor::from_std(listener)?;
        poem::Server::new_with_acceptor(acceptor).run(app).await
    });
    Ok(Server::new(address, || runtime.shutdown_background()))
}
