//! The servers of this project that are tested.

use std::net::{Ipv4Addr, TcpListener};

use health_axum::{Endpoint, Health};

/// The ports to listen on.
#[derive(clap::Args)]
pub(crate) struct Ports {
    /// The port for HTTP.
    #[arg(long)]
    http: u16,
}

/// Serves until the program is ended.
pub(crate) async fn serve(ports: Ports) -> anyhow::Result<()> {
    let health = Health::builder().endpoint(Endpoint::liveness("/live")).build()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.http))?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    axum::serve(listener, health_axum::router(health)).await?;
    Ok(())
}
