use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use health_core::{Drain, Health, Signals};
use tokio::net::TcpListener;

use crate::{download, events, never};

#[tokio::main]
pub(crate) async fn serve(
    bind: SocketAddr,
    health: Health,
    signals: Signals,
    drain: Drain,
) -> anyhow::Result<()> {
    let app = Router::new()
        .route("/events", get(|| async { Body::from_stream(events()) }))
        .route("/download", get(|| async { Body::from_stream(download()) }))
        .route("/never", get(never))
        .route("/upload", post(|_body: String| async { "uploaded\n" }));
    let listener = TcpListener::bind(bind).await?;
    let drained = health.drain_when(signals, drain);
    let server = health_axum::serve(listener, app, &health, drained);
    health.shut_down_after(server).await.exit()
}
