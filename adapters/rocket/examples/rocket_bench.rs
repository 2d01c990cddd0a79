//! `/health` beside a hand-written handler that does the same work, for `adapters/compare`.

use std::fs;

use health_core::{Health, HealthConfig};
use rocket::config::{Config, LogLevel};
use rocket::fairing::AdHoc;
use rocket::http::{Header, Status};
use rocket::response::Responder;
use rocket::{get, routes};

const DISABLEFILE: &str = "/run/health-bench/maintenance";

/// Rocket's Shield adds the nosniff.
#[derive(Responder)]
struct Answer {
    body: (Status, &'static str),
    cache_control: Header<'static>,
}

#[get("/handwritten")]
fn handwritten() -> Answer {
    Answer {
        body: match fs::metadata(DISABLEFILE) {
            Ok(_) => (Status::ServiceUnavailable, "MAINTENANCE"),
            Err(_) => (Status::Ok, "OK"),
        },
        cache_control: Header::new("cache-control", "no-store"),
    }
}

#[rocket::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = HealthConfig::default().with_disablefile(DISABLEFILE);
    let health = Health::builder().config(config).build()?;
    let settings = Config {
        port: 0,
        log_level: LogLevel::Off,
        ..Config::release_default()
    };
    rocket::custom(settings)
        .mount("/", routes![handwritten])
        .attach(health_rocket::fairing(health))
        .attach(AdHoc::on_liftoff("announce", |rocket| {
            let address = format!("127.0.0.1:{}", rocket.config().port);
            println!("READY http://{address}/health http://{address}/handwritten");
            Box::pin(async {})
        }))
        .launch()
        .await?;
    Ok(())
}
