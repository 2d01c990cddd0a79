//! A page of an application in a middleware that does nothing, on poem; see `adapters/bench/run`.

use health_bench::Handler;
use poem::endpoint::make_sync;
use poem::listener::TcpAcceptor;
use poem::{Endpoint as _, EndpointExt as _, Route, Server};
use tokio::net::TcpListener;

#[tokio::main(worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let page = Route::new().at("/", make_sync(|_| "OK"));
    let app = page.around(async |app, request| app.call(request).await);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Handler::App.announce(listener.local_addr()?);
    Ok(Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?).run(app).await?)
}
