//! `/health`, and a page of an application, on warp; see `adapters/bench/run`.

use std::future::pending;

use health_bench::{Handler, is_in_maintenance};
use tokio::net::TcpListener;
use warp::Filter;
use warp::http::{Response, Result, StatusCode};

fn handwritten() -> Result<Response<&'static str>> {
    match is_in_maintenance() {
        true => answer(StatusCode::SERVICE_UNAVAILABLE, "MAINTENANCE", "11"),
        false => answer(StatusCode::OK, "OK", "2"),
    }
}

fn answer(
    status: StatusCode,
    body: &'static str,
    length: &'static str,
) -> Result<Response<&'static str>> {
    Response::builder()
        .status(status)
        .header("content-type", "text/plain; charset=utf-8")
        .header("content-length", length)
        .header("cache-control", "no-store")
        .header("x-content-type-options", "nosniff")
        .body(body)
}

#[tokio::main(worker_threads = 1)]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let handler = Handler::from_arguments()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    handler.announce(listener.local_addr()?);
    let page = warp::path::end().map(|| "OK");
    match handler {
        Handler::Adapter => {
            let app = health_warp::filter(health_bench::health()?);
            warp::serve(app).incoming(listener).run().await;
        }
        Handler::Handwritten => {
            let app = warp::path!("health").map(handwritten);
            warp::serve(app).incoming(listener).run().await;
        }
        Handler::App | Handler::AppHandwritten => warp::serve(page).incoming(listener).run().await,
        Handler::AppCovered => {
            let app = health_warp::wrap(health_bench::health()?, page);
            warp::serve(app).incoming(listener).run().await;
        }
        Handler::AppServed => {
            health_warp::serve(listener, page, health_bench::health()?, pending()).await;
        }
    }
    Ok(())
}
