//! `/health` beside a hand-written handler that does the same work, for `adapters/compare`.

use std::fs;
use std::net::TcpListener;

use actix_web::http::StatusCode;
use actix_web::{App, HttpResponse, HttpServer, web};
use health_core::{Health, HealthConfig};

const DISABLEFILE: &str = "/run/health-bench/maintenance";

async fn handwritten() -> HttpResponse {
    match fs::metadata(DISABLEFILE) {
        Ok(_) => answer(StatusCode::SERVICE_UNAVAILABLE, "MAINTENANCE"),
        Err(_) => answer(StatusCode::OK, "OK"),
    }
}

fn answer(status: StatusCode, body: &'static str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header(("content-type", "text/plain; charset=utf-8"))
        .insert_header(("cache-control", "no-store"))
        .insert_header(("x-content-type-options", "nosniff"))
        .body(body)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = HealthConfig::default().with_disablefile(DISABLEFILE);
    let health = Health::builder().config(config).build()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    println!("READY http://{address}/health http://{address}/handwritten");
    let server = HttpServer::new(move || {
        App::new()
            .service(web::resource("/handwritten").to(handwritten))
            .configure(health_actix_web::service(health.clone()))
    });
    Ok(server.listen(listener)?.run().await?)
}
