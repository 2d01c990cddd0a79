//! A page of an application in a layer that does nothing, on axum; see `adapters/bench/run`.

use axum::Router;
use axum::routing::any;
use health_bench::Handler;
use tokio::net::TcpListener;
use tower_layer::Identity;

#[tokio::main(worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = Router::new().route("/", any(async || "OK")).layer(Identity::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Handler::App.announce(listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
