use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, UPGRADE};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use health_core::{Drain, Health, Signals};
use tokio::net::TcpListener;

use crate::{PROTOCOL, download, events, keep, never};

async fn socket(State(health): State<Health>, mut request: Request) -> impl IntoResponse {
    let switched = hyper::upgrade::on(&mut request);
    tokio::spawn(keep(health, async { switched.await.ok() }));
    (StatusCode::SWITCHING_PROTOCOLS, [(CONNECTION, "upgrade"), (UPGRADE, PROTOCOL)])
}

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
        .route("/upload", post(|_body: String| async { "uploaded\n" }))
        .route("/socket", get(socket))
        .with_state(health.clone());
    let listener = TcpListener::bind(bind).await?;
    let drained = health.drain_when(signals, drain);
    let server = health_axum::serve(listener, app, &health, drained);
    health.shut_down_after(server).await.exit()
}
