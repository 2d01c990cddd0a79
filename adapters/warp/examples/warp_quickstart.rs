//! A small warp application with a health endpoint: `cargo run -p health-warp --example warp_quickstart`.

#[path = "../../quickstart.rs"]
mod quickstart;

use health_core::{Health, HealthConfig};
use tokio::net::TcpListener;
use warp::Filter;

#[tokio::main]
async fn main() -> Result<(), quickstart::Failure> {
    let address = quickstart::prepare()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .check("scratch-space", quickstart::scratch_space)
        .check("stock-list", quickstart::stock_list)
        .build()?;
    let home = warp::path::end().map(|| "the application\n");
    let app = health_warp::filter(health.clone()).or(home);

    let listener = TcpListener::bind(address).await?;
    quickstart::introduce(listener.local_addr()?, &health);
    warp::serve(app).incoming(listener).run().await;
    Ok(())
}
