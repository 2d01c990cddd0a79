//! The Rocket adapter, mounted in a server.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;

use health_conformance::Server;
use health_conformance::testee::Application;
use health_rocket::Health;
use rocket::config::{Config, LogLevel, Shutdown};
use rocket::fairing::AdHoc;
use rocket::{Build, Rocket};

/// Serves the endpoints in an application without a route.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve(health: Health, _: Application) -> io::Result<Server> {
    serve_app(|app| app.attach(health_rocket::fairing(health)))
}

/// Serves an application.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve_app(complete: impl FnOnce(Rocket<Build>) -> Rocket<Build>) -> io::Result<Server> {
    // Rocket accepts no listener: it binds the port itself, and reports it at liftoff.
    let (started, start) = mpsc::channel();
    let announce = AdHoc::on_liftoff("announce", move |rocket| {
        let port = rocket.config().port;
        let _ = started.send((port, rocket.shutdown()));
        Box::pin(async {})
    });
    let app = complete(rocket::custom(config())).attach(announce);
    // Rocket logs why it did not start; the channel closes without a port.
    thread::spawn(move || rocket::execute(app.launch()).is_ok());
    let (port, shutdown) = start.recv().map_err(|_| io::Error::other("Rocket did not start"))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Ok(Server::new(address, move || shutdown.notify()))
}

fn config() -> Config {
    Config {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 0,
        workers: 2,
        log_level: LogLevel::Off,
        shutdown: Shutdown { ctrlc: false, ..Shutdown::default() },
        ..Config::release_default()
    }
}
