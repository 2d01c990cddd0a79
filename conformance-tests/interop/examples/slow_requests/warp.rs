use std::net::SocketAddr;

use health_core::{Drain, Health, Signals};
use tokio::net::TcpListener;
use warp::Filter as _;

use crate::{download, events, never};

#[tokio::main]
pub(crate) async fn serve(
    bind: SocketAddr,
    health: Health,
    signals: Signals,
    drain: Drain,
) -> anyhow::Result<()> {
    let app = warp::path("events")
        .map(|| warp::reply::stream(events()))
        .or(warp::path("download").map(|| warp::reply::stream(download())))
        .or(warp::path("never").then(never))
        .or(warp::path("upload").and(warp::body::bytes()).map(|_body| "uploaded\n"));
    let listener = TcpListener::bind(bind).await?;
    let drained = health.drain_when(signals, drain);
    let server = health_warp::serve(listener, app, &health, drained);
    health.shut_down_after(server).await.exit()
}
