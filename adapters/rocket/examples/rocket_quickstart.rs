//! A small Rocket application with a health endpoint:
//! `cargo run -p health-rocket --example rocket_quickstart`.
//!
//! `BIND` sets the address.

use std::env;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use health_indicators::file_age;
use health_rocket::{Check, Health, HealthConfig};
use rocket::fairing::AdHoc;
use rocket::{get, routes};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[get("/")]
fn home() -> &'static str {
    "the application\n"
}

#[rocket::main]
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
    let address: SocketAddr = bind.parse().with_context(|| format!("BIND={bind}"))?;
    let config =
        rocket::Config::figment().merge(("address", address.ip())).merge(("port", address.port()));
    let settings = health.config().clone();
    rocket::custom(config)
        .mount("/", routes![home])
        .attach(health_rocket::fairing(health))
        .attach(AdHoc::on_liftoff("introduction", move |rocket| {
            let config = rocket.config();
            let address = SocketAddr::new(config.address, config.port);
            introduce(address, &settings, &stock);
            Box::pin(async {})
        }))
        .launch()
        .await?;
    Ok(())
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
