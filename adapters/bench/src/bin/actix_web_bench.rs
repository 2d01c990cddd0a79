//! `/health`, and a page of an application, on actix-web; see `adapters/bench/run`.

use std::net::TcpListener;

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use health_bench::{Handler, is_in_maintenance};

async fn handwritten() -> HttpResponse {
    match is_in_maintenance() {
        true => answer(StatusCode::SERVICE_UNAVAILABLE, "MAINTENANCE"),
        false => answer(StatusCode::OK, "OK"),
    }
}

/// actix-web adds the length.
fn answer(status: StatusCode, body: &'static str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header(("content-type", "text/plain; charset=utf-8"))
        .insert_header(("cache-control", "no-store"))
        .insert_header(("x-content-type-options", "nosniff"))
        .body(body)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let handler = Handler::from_arguments()?;
    if let Handler::AppHandwritten | Handler::AppServed = handler {
        return Err(handler.unsupported().into());
    }
    let health = health_bench::health()?;
    let covers = health.clone();
    let configure = move |app: &mut ServiceConfig| match handler {
        Handler::Adapter => {
            app.service(health_actix_web::service(health));
        }
        Handler::Handwritten => {
            app.service(web::resource("/health").to(handwritten));
        }
        _ => {
            app.service(web::resource("/").to(async || "OK"));
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0")?;
    handler.announce(listener.local_addr()?);
    let app = move || App::new().configure(configure.clone());
    // A signal ends the process at once.
    if handler == Handler::AppCovered {
        let app = move || app().wrap(health_actix_web::middleware(&covers));
        let server = HttpServer::new(app).workers(1).disable_signals();
        return Ok(server.listen(listener)?.run().await?);
    }
    let server = HttpServer::new(app).workers(1).disable_signals();
    Ok(server.listen(listener)?.run().await?)
}
