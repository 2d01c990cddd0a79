//! The actix-web adapter, mounted in a server.

use std::future::ready;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc;
use std::thread;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{App, Error, HttpResponse, HttpServer, rt};
use futures::StreamExt as _;
use health_actix_web::Health;
use health_conformance::Server;
use health_conformance::testee::Application;

/// Serves the endpoints and the application.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve(health: Health, application: Application) -> io::Result<Server> {
    serve_covered(health, move |app| {
        let (slow, streamed) = (application.clone(), application.clone());
        let slow = move || {
            let finish = slow.finish();
            async {
                finish.await;
                "finished"
            }
        };
        let stream = move || {
            let parts =
                streamed.stream().map(|part| part.map(|part| Bytes::from_static(part.as_bytes())));
            ready(HttpResponse::Ok().streaming(parts))
        };
        app.route("/application", web::to(async || "application"))
            .route("/slow", web::to(slow))
            .route("/stream", web::to(stream));
    })
}

/// Serves an application.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve_app(
    configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<Server> {
    start(move || App::new().configure(configure.clone()))
}

/// Serves an application that the middleware covers.
///
/// # Errors
///
/// The server cannot be started.
pub fn serve_covered(
    health: Health,
    configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<Server> {
    start(move || {
        let app = App::new().configure(configure.clone());
        app.wrap(health_actix_web::middleware(health.clone()))
    })
}

fn start<T, B>(app: impl Fn() -> App<T> + Clone + Send + 'static) -> io::Result<Server>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let (started, start) = mpsc::channel();
    thread::spawn(move || {
        rt::System::new().block_on(async move {
            let server = HttpServer::new(app).workers(2).disable_signals().listen(listener)?.run();
            // The receiver waits for this.
            let _ = started.send(server.handle());
            server.await
        })
    });
    let handle = start.recv().map_err(|_| io::Error::other("actix-web did not start"))?;
    Ok(Server::new(address, move || drop(handle.stop(false))))
}
