use std::io;
use std::net::SocketAddr;

use futures::{Stream, StreamExt as _, stream};
use health_core::{Drain, Health, Signals};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use tokio::net::TcpListener;

use crate::{PROTOCOL, download, events, keep, never};

type Body = BoxBody<Bytes, io::Error>;

async fn app(health: Health, mut request: Request<Incoming>) -> hyper::Result<Response<Body>> {
    let text = match request.uri().path() {
        "/socket" => {
            let switched = hyper::upgrade::on(&mut request);
            tokio::spawn(keep(health, async { switched.await.ok() }));
            return Ok(switching());
        }
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

fn switching() -> Response<Body> {
    let mut response = response(stream::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static(PROTOCOL));
    response
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
    let shared = health.clone();
    let make_service = move |_: &_| {
        let health = shared.clone();
        service_fn(move |request| app(health.clone(), request))
    };
    let server = health_hyper::serve(listener, make_service, &health, drained);
    health.shut_down_after(server).await.exit()
}
