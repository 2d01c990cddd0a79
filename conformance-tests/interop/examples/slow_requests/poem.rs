use std::net::SocketAddr;

use health_core::{Drain, Health, Signals};
use poem::http::StatusCode;
use poem::web::Data;
use poem::{Body, EndpointExt as _, Request, Response, Route, get, handler, post};
use tokio::net::TcpListener;

use crate::{PROTOCOL, download, events, keep};

#[handler]
fn stream_events() -> Body {
    Body::from_bytes_stream(events())
}

#[handler]
fn stream_download() -> Body {
    Body::from_bytes_stream(download())
}

#[handler]
async fn never() -> &'static str {
    crate::never().await
}

#[handler]
async fn upload(_body: String) -> &'static str {
    "uploaded\n"
}

#[handler]
fn socket(request: &Request, health: Data<&Health>) -> poem::Result<Response> {
    let switched = request.take_upgrade()?;
    tokio::spawn(keep(health.clone(), async { switched.await.ok() }));
    let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    Ok(response.header("connection", "upgrade").header("upgrade", PROTOCOL).finish())
}

#[tokio::main]
pub(crate) async fn serve(
    bind: SocketAddr,
    health: Health,
    signals: Signals,
    drain: Drain,
) -> anyhow::Result<()> {
    let app = Route::new()
        .at("/events", get(stream_events))
        .at("/download", get(stream_download))
        .at("/never", get(never))
        .at("/upload", post(upload))
        .at("/socket", get(socket.data(health.clone())));
    let listener = TcpListener::bind(bind).await?;
    let drained = health.drain_when(signals, drain);
    let server = health_poem::serve(listener, app, &health, drained);
    health.shut_down_after(server).await.exit()
}
