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
    let app = health_warp::wrap(health.clone(), app);
    let listener = TcpListener::bind(bind).await?;
    let server =
        warp::serve(app).incoming(listener).graceful(health.drain_when(signals, drain)).run();
    health.shut_down_after(server).await.exit()
}
