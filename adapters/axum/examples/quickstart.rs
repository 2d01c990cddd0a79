//! A small axum application with a health endpoint: `cargo run -p health-axum --example quickstart`.

#[path = "../../quickstart.rs"]
mod quickstart;

use axum::Router;
use axum::routing::get;
use health_core::{Health, HealthConfig};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), quickstart::Failure> {
    let address = quickstart::prepare()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .check("scratch-space", quickstart::scratch_space)
        .check("stock-list", quickstart::stock_list)
        .build()?;
    let app = Router::new()
        .route("/", get(|| async { "the application\n" }))
        .merge(health_axum::router(health.clone()));

    let listener = TcpListener::bind(address).await?;
    quickstart::introduce(listener.local_addr()?, &health);
    Ok(axum::serve(listener, app).await?)
}
