//! A small actix-web application with a health endpoint:
//! `cargo run -p health-actix-web --example actix_web_quickstart`.
//!
//! `BIND` sets the address.

use std::env;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use actix_web::{App, HttpServer, web};
use anyhow::Context as _;
use health_actix_web::{Check, Health, HealthConfig};
use health_indicators::file_age;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let scratch = env::temp_dir();
    let stock = scratch.join("health-quickstart-stock");
    File::create(&stock)?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .register(Check::with("scratch-space", scratch, |path| async {
            fs::read_dir(path).map(drop)
        }))
        .register(file_age(&stock).degraded_above(DAY).check("stock-list"))
        .build()?;

    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&bind);
    let listener = listener.with_context(|| format!("cannot listen on BIND={bind}"))?;
    introduce(listener.local_addr()?, health.config(), &stock);
    let server = HttpServer::new(move || {
        App::new()
            .route("/", web::get().to(|| async { "the application\n" }))
            .service(health_actix_web::service(health.clone()))
    });
    Ok(server.listen(listener)?.run().await?)
}

/// Prints what to try.
fn introduce(address: SocketAddr, config: &HealthConfig, stock: &Path) {
    let url = format!("http://{address}{}", config.url());
    let maintenance = config.maintenance_code().as_u16();
    let failure = config.failure_code().as_u16();
    let stock = stock.display();
    println!("\nServing {url}. In another terminal, try:\n");
    println!("  curl -i {url}                     # 200 OK");
    println!("  curl -i '{url}?checks=all'        # 200 OK, after running the checks");
    if let Some(marker) = config.disablefile() {
        let marker = marker.display();
        println!("\n  touch {marker}");
        println!("  curl -i {url}                     # {maintenance} MAINTENANCE");
        println!("  rm {marker}");
    }
    println!("\n  rm {stock}");
    println!("  curl -i '{url}?checks=all'        # {failure} ERROR; the log says why");
    println!("  curl -i {url}                     # 200 OK: the checks run only on request");
    println!("  touch {stock}\n");
}
