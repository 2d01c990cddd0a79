//! The hyper adapter, mounted in a server.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use futures::future::{BoxFuture, ready};
use futures::{FutureExt as _, TryStreamExt as _};
use health_conformance::Server;
use health_conformance::testee::Application;
use health_hyper::Health;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

/// Serves the application, which the service covers.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve(health: Health, application: Application) -> io::Result<Server> {
    let pages = service_fn(move |request| page(application.clone(), &request));
    serve_app(|| health_hyper::service(health, pages))
}

/// The body of a page of the application.
pub type PageBody = UnsyncBoxBody<Bytes, io::Error>;

/// Returns the page of the application that was requested.
pub type PageFuture = BoxFuture<'static, Result<Response<PageBody>, Infallible>>;

/// Requests a page of the application.
pub fn page<B>(application: Application, request: &Request<B>) -> PageFuture {
    let page = |status, text: &'static str| {
        let body = Full::from(text).map_err(|never| match never {}).boxed_unsync();
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Ok(response)
    };
    match request.uri().path() {
        "/application" => ready(page(StatusCode::OK, "application")).boxed(),
        "/slow" => application.finish().map(move |()| page(StatusCode::OK, "finished")).boxed(),
        "/stream" => {
            let frames = application.stream().map_ok(|text| Frame::data(Bytes::from(text)));
            ready(Ok(Response::new(StreamBody::new(frames).boxed_unsync()))).boxed()
        }
        _ => ready(page(StatusCode::NOT_FOUND, "")).boxed(),
    }
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
