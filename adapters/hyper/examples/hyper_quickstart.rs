//! A small hyper application with a health endpoint: `cargo run -p health-hyper --example hyper_quickstart`.

#[path = "../../quickstart.rs"]
mod quickstart;

use std::convert::Infallible;

use health_core::{Health, HealthConfig};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

async fn app<B>(request: Request<B>) -> Result<Response<String>, Infallible> {
    let mut response = Response::default();
    match request.uri().path() {
        "/" => "the application\n".clone_into(response.body_mut()),
        _ => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    Ok(response)
}

#[tokio::main]
async fn main() -> Result<(), quickstart::Failure> {
    let address = quickstart::prepare()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .check("scratch-space", quickstart::scratch_space)
        .check("stock-list", quickstart::stock_list)
        .build()?;
    let app = health_hyper::service(health.clone(), service_fn(app));

    let listener = TcpListener::bind(address).await?;
    quickstart::introduce(listener.local_addr()?, &health);
    loop {
        let (stream, _) = listener.accept().await?;
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), app.clone());
        tokio::spawn(async { connection.await.unwrap_or_default() });
    }
}
