//! The actix-web adapter as a testee: see the testee protocol in `docs/contract.md`.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer, rt};
use health_conformance::{Server, testee};
use health_core::Health;

pub(crate) fn serve(health: Health) -> io::Result<Server> {
    serve_app(move |app| {
        app.service(health_actix_web::service(health.clone()));
    })
}

pub(crate) fn serve_app(
    configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<Server> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let (started, start) = mpsc::channel();
    thread::spawn(move || {
        rt::System::new().block_on(async move {
            let server = HttpServer::new(move || App::new().configure(configure.clone()))
                .workers(2)
                .disable_signals()
                .listen(listener)?
                .run();
            // The receiver waits for this.
            let _ = started.send(server.handle());
            server.await
        })
    });
    let handle = start
        .recv()
        .map_err(|_| io::Error::other("actix-web did not start"))?;
    Ok(Server::new(address, move || drop(handle.stop(false))))
}

fn main() -> ExitCode {
    testee::main(serve)
}
