//! `/health`, and a page of an application, on axum; see `adapters/bench/run`.

use std::future::pending;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::routing::any;
use health_bench::{Handler, is_in_maintenance};
use tokio::net::TcpListener;

type Answer = (StatusCode, [(HeaderName, &'static str); 4], &'static str);

async fn handwritten() -> Answer {
    match is_in_maintenance() {
        true => answer(StatusCode::SERVICE_UNAVAILABLE, "MAINTENANCE", "11"),
        false => answer(StatusCode::OK, "OK", "2"),
    }
}

fn answer(status: StatusCode, body: &'static str, length: &'static str) -> Answer {
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (CONTENT_LENGTH, length),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, body)
}

#[tokio::main(worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let handler = Handler::from_arguments()?;
    let health = health_bench::health()?;
    let page = Router::new().route("/", any(async || "OK"));
    let app = match handler {
        Handler::Adapter => health_axum::router(&health),
        Handler::Handwritten => Router::new().route("/health", any(handwritten)),
        Handler::App | Handler::AppHandwritten | Handler::AppServed => page,
        Handler::AppCovered => page.layer(health_axum::layer(&health)),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    handler.announce(listener.local_addr()?);
    if handler == Handler::AppServed {
        health_axum::serve(listener, app, &health, pending()).await;
        return Ok(());
    }
    Ok(axum::serve(listener, app).await?)
}
