//! `/health` beside a hand-written handler that does the same work, for `adapters/compare`.

use std::fs;

use health_core::{Health, HealthConfig};
use tokio::net::TcpListener;
use warp::Filter;
use warp::http::{Response, StatusCode};

const DISABLEFILE: &str = "/run/health-bench/maintenance";

fn handwritten() -> warp::http::Result<Response<&'static str>> {
    match fs::metadata(DISABLEFILE) {
        Ok(_) => answer(StatusCode::SERVICE_UNAVAILABLE, "MAINTENANCE", "11"),
        Err(_) => answer(StatusCode::OK, "OK", "2"),
    }
}

fn answer(
    status: StatusCode,
    body: &'static str,
    length: &'static str,
) -> warp::http::Result<Response<&'static str>> {
    Response::builder()
        .status(status)
        .header("content-type", "text/plain; charset=utf-8")
        .header("content-length", length)
        .header("cache-control", "no-store")
        .header("x-content-type-options", "nosniff")
        .body(body)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = HealthConfig::default().with_disablefile(DISABLEFILE);
    let health = Health::builder().config(config).build()?;
    let handwritten = warp::path!("handwritten").map(handwritten);
    // Of two filters in one application the second pays for the rejection of the first: each gets a
    // server of its own.
    let ours = TcpListener::bind("127.0.0.1:0").await?;
    let theirs = TcpListener::bind("127.0.0.1:0").await?;
    let addresses = (ours.local_addr()?, theirs.local_addr()?);
    println!(
        "READY http://{}/health http://{}/handwritten",
        addresses.0, addresses.1
    );
    let ours = warp::serve(health_warp::filter(health)).incoming(ours);
    let theirs = warp::serve(handwritten).incoming(theirs);
    tokio::join!(ours.run(), theirs.run());
    Ok(())
}
