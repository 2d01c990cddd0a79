//! A small Rocket application with a health endpoint:
//! `cargo run -p health-rocket --example rocket_quickstart`.

#[path = "../../quickstart.rs"]
mod quickstart;

use std::net::SocketAddr;

use health_core::{Health, HealthConfig};
use rocket::fairing::AdHoc;
use rocket::{get, routes};

#[get("/")]
fn home() -> &'static str {
    "the application\n"
}

#[rocket::main]
async fn main() -> Result<(), quickstart::Failure> {
    let address = quickstart::prepare()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .check("scratch-space", quickstart::scratch_space)
        .check("stock-list", quickstart::stock_list)
        .build()?;

    let config = rocket::Config::figment()
        .merge(("address", address.ip()))
        .merge(("port", address.port()));
    let introduction = health.clone();
    rocket::custom(config)
        .mount("/", routes![home])
        .attach(health_rocket::fairing(health))
        .attach(AdHoc::on_liftoff("introduction", move |rocket| {
            let config = rocket.config();
            let address = SocketAddr::new(config.address, config.port);
            quickstart::introduce(address, &introduction);
            Box::pin(async {})
        }))
        .launch()
        .await?;
    Ok(())
}
