use std::io;
use std::net::SocketAddr;
use std::pin::pin;

use futures::{Stream, StreamExt as _, stream};
use health_core::{Drain, Health, Signals};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
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
    let app = health_hyper::service(health.clone(), service_fn(app));
    let listener = TcpListener::bind(bind).await?;
    let drained = health.drain_when(signals, drain);
    let server = async {
        let mut drained = pin!(drained);
        let connections = GracefulShutdown::new();
        loop {
            let (stream, _) = tokio::select! {
                accepted = listener.accept() => accepted?,
                () = &mut drained => break,
            };
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), app.clone());
            let connection = connections.watch(connection);
            tokio::spawn(async { connection.await.unwrap_or_default() });
        }
        drop(listener);
        connections.shutdown().await;
        std::io::Result::Ok(())
    };
    health.shut_down_after(server).await.exit()
}
