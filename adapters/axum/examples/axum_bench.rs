//! `/health` beside a hand-written handler that does the same work, for `adapters/compare`.

use std::fs;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::routing::any;
use health_core::{Health, HealthConfig};
use tokio::net::TcpListener;

const DISABLEFILE: &str = "/run/health-bench/maintenance";

type Answer = (StatusCode, [(HeaderName, &'static str); 4], &'static str);

async fn handwritten() -> Answer {
    match fs::metadata(DISABLEFILE) {
        Ok(_) => answer(StatusCode::SERVICE_UNAVAILABLE, "MAINTENANCE", "11"),
        Err(_) => answer(StatusCode::OK, "OK", "2"),
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

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = HealthConfig::default().with_disablefile(DISABLEFILE);
    let health = Health::builder().config(config).build()?;
    let app = Router::new()
        .route("/handwritten", any(handwritten))
        .merge(health_axum::router(health));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("READY http://{address}/health http://{address}/handwritten");
    Ok(axum::serve(listener, app).await?)
}
