//! The servers of this project that are tested, and a mock of Kafka.

mod kafka;
mod tls;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use health_axum::{Endpoint, Health};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

pub(crate) use self::kafka::TOPIC;

/// What to serve, on a port of 127.0.0.1.
#[derive(clap::Subcommand)]
pub(crate) enum Served {
    /// Health endpoints.
    Http { port: u16 },
    /// Health endpoints, by gRPC.
    Grpc { port: u16 },
    /// A certificate, and nothing else.
    Tls { port: u16, certificate: PathBuf, key: PathBuf },
    /// A broker of Kafka, which obeys commands on standard input.
    Kafka,
}

/// Serves until the program is ended.
pub(crate) async fn serve(served: Served) -> anyhow::Result<()> {
    match served {
        Served::Http { port } => {
            let health = Health::builder().endpoint(Endpoint::liveness("/live")).build()?;
            axum::serve(listen(port).await?, health_axum::router(health)).await?;
            Ok(())
        }
        Served::Grpc { port } => {
            let health = Health::builder().endpoint(Endpoint::liveness("/live")).build()?;
            let service = health_tonic::service(&health)?;
            let incoming = TcpIncoming::from(listen(port).await?);
            Server::builder().add_service(service).serve_with_incoming(incoming).await?;
            Ok(())
        }
        Served::Tls { port, certificate, key } => {
            tls::serve(listen(port).await?, &certificate, &key).await
        }
        Served::Kafka => kafka::serve(),
    }
}

async fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}
