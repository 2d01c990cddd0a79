//! `/health`, and a page of an application, on hyper; see `adapters/bench/run`.

use std::convert::Infallible;
use std::future::pending;

use health_bench::{Handler, is_in_maintenance};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

type Answer = Response<Full<Bytes>>;

async fn handwritten(request: Request<Incoming>) -> hyper::http::Result<Answer> {
    if request.uri().path() != "/health" {
        return not_found();
    }
    match is_in_maintenance() {
        true => answer(StatusCode::SERVICE_UNAVAILABLE, "MAINTENANCE"),
        false => answer(StatusCode::OK, "OK"),
    }
}

/// hyper adds the length.
fn answer(status: StatusCode, body: &'static str) -> hyper::http::Result<Answer> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "text/plain; charset=utf-8")
        .header(CACHE_CONTROL, "no-store")
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(Full::new(Bytes::from_static(body.as_bytes())))
}

fn not_found() -> hyper::http::Result<Answer> {
    Response::builder().status(StatusCode::NOT_FOUND).body(Full::default())
}

async fn page(_: Request<Incoming>) -> hyper::http::Result<Answer> {
    Ok(Response::new(Full::new(Bytes::from_static(b"OK"))))
}

async fn serve<S>(handler: Handler, app: S) -> Result<(), Box<dyn std::error::Error>>
where
    S: HttpService<Incoming, Error = hyper::http::Error, Future: Send> + Clone + Send + 'static,
    S::ResBody: Body<Error = Infallible, Data: Send> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    handler.announce(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), app.clone());
        tokio::spawn(async { connection.await.unwrap_or_default() });
    }
}

/// Speaks HTTP/2, too, lets sockets upgrade, and can end its connections: what a server in production has to do, and
/// that of the adapter does.
async fn serve_gracefully(handler: Handler) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    handler.announce(listener.local_addr()?);
    let graceful = GracefulShutdown::new();
    let builder = auto::Builder::new(TokioExecutor::new());
    loop {
        let (stream, _) = listener.accept().await?;
        let io = TokioIo::new(stream);
        let connection = builder.serve_connection_with_upgrades(io, service_fn(page)).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async { connection.await.unwrap_or_default() });
    }
}

#[tokio::main(worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let handler = Handler::from_arguments()?;
    let health = health_bench::health()?;
    match handler {
        Handler::Adapter => {
            let none = service_fn(async |_: Request<Incoming>| not_found());
            serve(handler, health_hyper::service(health, none)).await
        }
        Handler::Handwritten => serve(handler, service_fn(handwritten)).await,
        Handler::App => serve(handler, service_fn(page)).await,
        Handler::AppHandwritten => serve_gracefully(handler).await,
        Handler::AppCovered => {
            serve(handler, health_hyper::service(health, service_fn(page))).await
        }
        Handler::AppServed => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            handler.announce(listener.local_addr()?);
            health_hyper::serve(listener, |_| service_fn(page), &health, pending()).await;
            Ok(())
        }
    }
}
