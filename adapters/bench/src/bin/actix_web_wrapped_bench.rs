//! A page of an application in a middleware that only gives the body another type, as each does that may respond itself or
//! follow the body to its end, on actix-web; see `adapters/bench/run`.

use std::net::TcpListener;

use actix_web::body::BoxBody;
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::{App, HttpServer, web};
use futures::TryFutureExt as _;
use health_bench::Handler;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Handler::App.announce(listener.local_addr()?);
    let app = || {
        let app = App::new().service(web::resource("/").to(async || "OK"));
        app.wrap_fn(|request, app| {
            app.call(request).map_ok(ServiceResponse::map_into_left_body::<BoxBody>)
        })
    };
    // A signal ends the process at once.
    let server = HttpServer::new(app).workers(1).disable_signals();
    Ok(server.listen(listener)?.run().await?)
}
