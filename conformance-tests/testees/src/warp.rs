//! The warp adapter, mounted in a server.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use health_conformance::Server;
use health_conformance::testee::Application;
use health_warp::Health;
use warp::Filter;
use warp::reply::Reply;

/// Serves the endpoints and the application.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve(health: Health, application: Application) -> io::Result<Server> {
    let streamed = application.clone();
    let slow = move || {
        let finish = application.finish();
        async {
            finish.await;
            "finished"
        }
    };
    let routes = warp::path!("application")
        .map(|| "application")
        .or(warp::path!("slow").then(slow))
        .or(warp::path!("stream").map(move || warp::reply::stream(streamed.stream())));
    serve_app(|| health_warp::wrap(health, routes))
}

/// Serves the application that `mount` creates inside the runtime.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve_app<F, R>(mount: impl FnOnce() -> F) -> io::Result<Server>
where
    F: Filter<Extract = (R,)> + Clone + Send + Sync + 'static,
    R: Reply + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_io().build()?;
    let inside = runtime.enter();
    let app = mount();
    drop(inside);
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        warp::serve(app).incoming(listener).run().await;
        io::Result::Ok(())
    });
    Ok(Server::new(address, || runtime.shutdown_background()))
}
