//! The Rocket adapter, mounted in a server.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;

use futures::StreamExt as _;
use health_conformance::Server;
use health_conformance::testee::Application;
use health_rocket::Health;
use rocket::config::{Config, LogLevel, Shutdown};
use rocket::fairing::AdHoc;
use rocket::http::Method;
use rocket::response::stream::TextStream;
use rocket::route::{BoxFuture, Outcome};
use rocket::{Build, Data, Request, Rocket, Route};

/// Serves the endpoints and the application.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve(health: Health, application: Application) -> io::Result<Server> {
    serve_app(|app| {
        let app = app.manage(application).attach(health_rocket::fairing(health));
        app.mount("/", METHODS.into_iter().flat_map(pages).collect::<Vec<_>>())
    })
}

const METHODS: [Method; 8] = [
    Method::Get,
    Method::Put,
    Method::Post,
    Method::Delete,
    Method::Options,
    Method::Head,
    Method::Trace,
    Method::Patch,
];

/// The pages of the application.
fn pages(method: Method) -> [Route; 3] {
    fn page<'r>(request: &'r Request<'_>, _: Data<'r>) -> BoxFuture<'r> {
        Box::pin(async move { Outcome::from(request, "application") })
    }
    fn slow<'r>(request: &'r Request<'_>, _: Data<'r>) -> BoxFuture<'r> {
        let finish = request.rocket().state().map(Application::finish);
        Box::pin(async move {
            if let Some(finish) = finish {
                finish.await;
            }
            Outcome::from(request, "finished")
        })
    }
    fn stream<'r>(request: &'r Request<'_>, _: Data<'r>) -> BoxFuture<'r> {
        let parts = request.rocket().state().map(Application::stream);
        let parts = futures::stream::iter(parts).flatten();
        let parts = TextStream(parts.filter_map(async |part| part.ok()));
        Box::pin(async move { Outcome::from(request, parts) })
    }
    [
        Route::new(method, "/application", page),
        Route::new(method, "/slow", slow),
        Route::new(method, "/stream", stream),
    ]
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
