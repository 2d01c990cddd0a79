//! A bare hyper server with the core embedded by hand.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;

use health_conformance::{Server, testee};
use health_core::{Health, ThreadRuntime};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

pub(crate) fn serve(health: Health) -> io::Result<Server> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    health.start_on(ThreadRuntime);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_io()
        .build()?;
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let health = health.clone();
            let service = service_fn(move |request| {
                let health = health.clone();
                async move { Ok::<_, Infallible>(answer(&health, &request).await) }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A client that has gone is its own loss.
            tokio::spawn(async { connection.await.is_ok() });
        }
        #[expect(unreachable_code, reason = "says what `?` returns")]
        io::Result::Ok(())
    });
    Ok(Server::new(address, || runtime.shutdown_background()))
}

async fn answer(health: &Health, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let uri = request.uri();
    let Some(endpoint) = health.at(uri.path()) else {
        let mut missing = Response::new(Full::default());
        *missing.status_mut() = StatusCode::NOT_FOUND;
        return missing;
    };
    let answer = endpoint.respond(uri.query().unwrap_or_default()).await;
    let mut response = http::Response::from(answer).map(|body| Full::from(body.as_bytes()));
    if let Some(reason) = answer.custom_reason() {
        let reason = ReasonPhrase::from_static(reason.as_bytes());
        response.extensions_mut().insert(reason);
    }
    response
}

fn main() -> ExitCode {
    testee::main(serve)
}
