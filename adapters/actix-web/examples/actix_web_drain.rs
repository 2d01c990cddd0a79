//! An actix-web application that leaves the load balancer before it stops:
//! `cargo run -p health-actix-web --example actix_web_drain`.
//!
//! `BIND` sets the address, and `DRAIN_DELAY` for how many seconds it serves on.

#[path = "../../drain.rs"]
mod drain;

use std::time::Duration;

use actix_web::rt::time::sleep;
use actix_web::{App, HttpServer, rt, web};
use health_core::{Endpoint, Health, HealthConfig, Signals};

async fn order(_order: String) -> &'static str {
    sleep(Duration::from_millis(5)).await;
    "ordered\n"
}

#[actix_web::main]
async fn main() -> Result<(), drain::Failure> {
    tracing_subscriber::fmt().init();
    // From here on SIGTERM is a message: it cannot end a process that serves already.
    let signals = Signals::new()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
        .build()?;
    let drained = health.drain_when(signals, drain::delay()?);

    let app = move || {
        App::new()
            .route("/", web::get().to(|| async { "the application\n" }))
            .route("/orders", web::post().to(order))
            .service(health_actix_web::service(health.clone()))
    };
    let address = drain::address()?;
    drain::introduce(address);
    // Its own way with signals is to stop at once.
    let server = HttpServer::new(app).bind(address)?.disable_signals().run();
    let handle = server.handle();
    rt::spawn(async move {
        drained.await;
        handle.stop(true).await;
    });
    server.await?;
    Ok(())
}
