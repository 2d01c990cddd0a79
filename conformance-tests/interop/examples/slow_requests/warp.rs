use std::net::SocketAddr;

use health_core::{Drain, Health, Signals};
use hyper::upgrade::OnUpgrade;
use tokio::net::TcpListener;
use warp::Filter as _;
use warp::http::header::{CONNECTION, HeaderValue, UPGRADE};
use warp::http::{Response, StatusCode};

use crate::{PROTOCOL, download, events, keep, never};

fn socket(health: Health) -> impl Fn(OnUpgrade) -> Response<&'static str> + Clone {
    move |switched| {
        tokio::spawn(keep(health.clone(), async { switched.await.ok() }));
        let mut response = Response::new("");
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static(PROTOCOL));
        response
    }
}

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
        .or(warp::path("upload").and(warp::body::bytes()).map(|_body| "uploaded\n"))
        .or(warp::path("socket").and(warp::ext::get()).map(socket(health.clone())));
    let listener = TcpListener::bind(bind).await?;
    let drained = health.drain_when(signals, drain);
    let server = health_warp::serve(listener, app, &health, drained);
    health.shut_down_after(server).await.exit()
}
