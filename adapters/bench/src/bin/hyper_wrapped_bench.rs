//! A page of an application in a service that only gives the body another type, as each does that may respond itself or
//! follow the body to its end, on hyper; see `adapters/bench/run`.

use std::future::Future;

use futures::TryFutureExt as _;
use health_bench::Handler;
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

async fn page(_: Request<Incoming>) -> hyper::http::Result<Response<Full<Bytes>>> {
    Ok(Response::new(Full::new(Bytes::from_static(b"OK"))))
}

type Wrapped = Response<Either<Full<Bytes>, Full<Bytes>>>;

fn wrapped(request: Request<Incoming>) -> impl Future<Output = hyper::http::Result<Wrapped>> {
    page(request).map_ok(|response| response.map(Either::Left))
}

#[tokio::main(worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Handler::App.announce(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let io = TokioIo::new(stream);
        let connection = http1::Builder::new().serve_connection(io, service_fn(wrapped));
        tokio::spawn(async { connection.await.unwrap_or_default() });
    }
}
