//! `/health`, and a page of an application, on poem; see `adapters/bench/run`.

use std::future::pending;

use health_bench::{Handler, is_in_maintenance};
use poem::endpoint::make_sync;
use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::{EndpointExt, Request, Response, Route, Server};
use tokio::net::TcpListener;

fn handwritten(_: Request) -> Response {
    match is_in_maintenance() {
        true => answer(StatusCode::SERVICE_UNAVAILABLE, "MAINTENANCE"),
        false => answer(StatusCode::OK, "OK"),
    }
}

/// hyper, below poem, adds the length.
fn answer(status: StatusCode, body: &'static str) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "text/plain; charset=utf-8")
        .header("cache-control", "no-store")
        .header("x-content-type-options", "nosniff")
        .body(body)
}

fn page() -> Route {
    Route::new().at("/", make_sync(|_| "OK"))
}

#[tokio::main(worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let handler = Handler::from_arguments()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    handler.announce(listener.local_addr()?);
    let server = |listener| TcpAcceptor::from_tokio(listener).map(Server::new_with_acceptor);
    match handler {
        Handler::Adapter => {
            let app = Route::new().at("/", make_sync(|_| "the application"));
            let health = health_poem::middleware(health_bench::health()?);
            server(listener)?.run(app.with(health)).await?;
        }
        Handler::Handwritten => {
            let app = Route::new().at("/health", make_sync(handwritten));
            server(listener)?.run(app).await?;
        }
        Handler::App | Handler::AppHandwritten => server(listener)?.run(page()).await?,
        Handler::AppCovered => {
            let health = health_poem::middleware(health_bench::health()?);
            server(listener)?.run(page().with(health)).await?;
        }
        Handler::AppServed => {
            health_poem::serve(listener, page(), health_bench::health()?, pending()).await;
        }
    }
    Ok(())
}
