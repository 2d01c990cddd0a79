//! An application on the server of this crate.

use std::future::pending;
use std::io;

use axum::Router;
use health_axum::{Health, serve};
use health_conformance::Server;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

pub(crate) fn serve_app(health: Health, app: Router) -> io::Result<Server> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let inside = runtime.enter();
    runtime.spawn(serve(listener, app, health, pending()));
    drop(inside);
    Ok(Server::new(address, || runtime.shutdown_background()))
}
