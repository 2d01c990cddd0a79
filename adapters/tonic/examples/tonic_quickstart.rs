//! A small tonic application with the health service:
//! `cargo run -p health-tonic --example tonic_quickstart`.
//!
//! `BIND` sets the address.

use std::env;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use health_indicators::file_age;
use health_tonic::{Check, Endpoint, Health, HealthConfig};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let scratch = env::temp_dir();
    let stock = scratch.join("health-quickstart-stock");
    File::create(&stock)?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .register(Check::with("scratch-space", scratch, |path| async {
            fs::read_dir(path).map(drop)
        }))
        .register(file_age(&stock).degraded_above(DAY).check("stock-list"))
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
        .build()?;

    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:50051".to_owned());
    let listener = TcpListener::bind(&bind).await;
    let listener = listener.with_context(|| format!("cannot listen on BIND={bind}"))?;
    introduce(listener.local_addr()?, health.config(), &stock);
    // The services of the application belong here, too.
    let server = Server::builder().add_service(health_tonic::service(&health)?);
    Ok(server.serve_with_incoming(TcpIncoming::from(listener)).await?)
}

/// Prints what to try.
fn introduce(address: SocketAddr, config: &HealthConfig, stock: &Path) {
    let stock = stock.display();
    println!("\nServing http://{address}. In another terminal, try:\n");
    println!("  grpc-health-probe -addr {address}                  # status: SERVING");
    println!("  grpc-health-probe -addr {address} -service /live   # status: SERVING");
    if let Some(marker) = config.disablefile() {
        let marker = marker.display();
        println!("\n  touch {marker}");
        println!("  grpc-health-probe -addr {address}                  # NOT_SERVING");
        println!("  grpc-health-probe -addr {address} -service /live   # status: SERVING");
        println!("  rm {marker}");
    }
    println!("\n  rm {stock}");
    println!(
        "  grpc-health-probe -addr {address}                  # NOT_SERVING; the log says why"
    );
    println!("  touch {stock}\n");
}
