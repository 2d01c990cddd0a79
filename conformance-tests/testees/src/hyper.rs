//! The hyper adapter, mounted in a server.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use health_conformance::Server;
use health_conformance::testee::Application;
use health_hyper::Health;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

/// Serves the endpoints in an application without a route.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve(health: Health, _: Application) -> io::Result<Server> {
    let missing = service_fn(|_| {
        let mut missing = Response::new(String::new());
        *missing.status_mut() = StatusCode::NOT_FOUND;
        ready(Ok::<_, Infallible>(missing))
    });
    serve_app(|| health_hyper::service(health, missing))
}

/// Serves the application that `mount` creates inside the runtime.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve_app<S, B>(mount: impl FnOnce() -> S) -> io::Result<Server>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
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
        loop {
            let (stream, _) = listener.accept().await?;
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), app.clone());
            // An error affects only this client.
            tokio::spawn(async { connection.await.is_ok() });
        }
        #[expect(unreachable_code, reason = "says what `?` returns")]
        io::Result::Ok(())
    });
    Ok(Server::new(address, || runtime.shutdown_background()))
}
