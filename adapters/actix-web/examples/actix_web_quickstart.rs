//! A small actix-web application with a health endpoint:
//! `cargo run -p health-actix-web --example actix_web_quickstart`.

#[path = "../../quickstart.rs"]
mod quickstart;

use std::net::TcpListener;

use actix_web::{App, HttpServer, web};
use health_core::{Health, HealthConfig};

#[actix_web::main]
async fn main() -> Result<(), quickstart::Failure> {
    let address = quickstart::prepare()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .check("scratch-space", quickstart::scratch_space)
        .check("stock-list", quickstart::stock_list)
        .build()?;

    let listener = TcpListener::bind(address)?;
    quickstart::introduce(listener.local_addr()?, &health);
    let server = HttpServer::new(move || {
        App::new()
            .route("/", web::get().to(|| async { "the application\n" }))
            .service(health_actix_web::service(health.clone()))
    });
    Ok(server.listen(listener)?.run().await?)
}
