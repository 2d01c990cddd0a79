use std::net::SocketAddr;

use health_core::{Drain, Health, Signals};
use poem::{Body, Route, get, handler, post};
use tokio::net::TcpListener;

use crate::{download, events};

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
        .at("/upload", post(upload));
    let listener = TcpListener::bind(bind).await?;
    let drained = health.drain_when(signals, drain);
    let server = health_poem::serve(listener, app, &health, drained);
    health.shut_down_after(server).await.exit()
}
