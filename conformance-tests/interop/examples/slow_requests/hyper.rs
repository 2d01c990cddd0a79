use std::io;
use std::net::SocketAddr;

use futures::{Stream, StreamExt as _, stream};
use health_core::{Drain, Health, Signals};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use tokio::net::TcpListener;

use crate::{download, events, never};

type Body = BoxBody<Bytes, io::Error>;

async fn app(request: Request<Incoming>) -> hyper::Result<Response<Body>> {
    let text = match request.uri().path() {
        "/events" => return Ok(response(events())),
        "/download" => return Ok(response(download())),
        "/upload" => {
            request.into_body().collect().await?;
            "uploaded\n"
        }
        _ => never().await,
    };
    Ok(response(stream::iter([Ok(text.into())])))
}

fn response(
    chunks: impl Stream<Item = io::Result<Vec<u8>>> + Send + Sync + 'static,
) -> Response<Body> {
    let frames = chunks.map(|chunk| chunk.map(|chunk| Frame::data(chunk.into())));
    Response::new(BodyExt::boxed(StreamBody::new(frames)))
}

#[tokio::main]
pub(crate) async fn serve(
    bind: SocketAddr,
    health: Health,
    signals: Signals,
    drain: Drain,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(bind).await?;
    let drained = health.drain_when(signals, drain);
    let server = health_hyper::serve(listener, |_| service_fn(app), &health, drained);
    health.shut_down_after(server).await.exit()
}
