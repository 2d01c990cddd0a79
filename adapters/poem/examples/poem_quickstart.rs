//! A small poem application with a health endpoint: `cargo run -p health-poem --example poem_quickstart`.

#[path = "../../quickstart.rs"]
mod quickstart;

use health_core::{Health, HealthConfig};
use poem::endpoint::make_sync;
use poem::listener::TcpAcceptor;
use poem::{EndpointExt, Route, Server};

#[tokio::main]
async fn main() -> Result<(), quickstart::Failure> {
    let address = quickstart::prepare()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .check("scratch-space", quickstart::scratch_space)
        .check("stock-list", quickstart::stock_list)
        .build()?;
    let app = Route::new()
        .at("/", make_sync(|_| "the application\n"))
        .with(health_poem::middleware(health.clone()));

    let listener = tokio::net::TcpListener::bind(address).await?;
    quickstart::introduce(listener.local_addr()?, &health);
    let acceptor = TcpAcceptor::from_tokio(listener)?;
    Ok(Server::new_with_acceptor(acceptor).run(app).await?)
}
