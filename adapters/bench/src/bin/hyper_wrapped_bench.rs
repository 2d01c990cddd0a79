//! A page of an application in a service that responds to one other path itself, on hyper; see `adapters/bench/run`. The
//! compiler removes a service that only gives the body another type.

use std::future::Future;

use futures::{FutureExt as _, TryFutureExt as _};
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

async fn other() -> hyper::http::Result<Wrapped> {
    Ok(Response::new(Either::Left(Full::new(Bytes::from_static(b"other")))))
}

fn wrapped(request: Request<Incoming>) -> impl Future<Output = hyper::http::Result<Wrapped>> {
    match request.uri().path() {
        "/other" => other().left_future(),
        _ => page(request).map_ok(|response| response.map(Either::Right)).right_future(),
    }
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
