//! `/health`, and a page of an application, on Rocket; see `adapters/bench/run`.

use health_bench::{Handler, is_in_maintenance};
use rocket::config::{Config, LogLevel, Shutdown};
use rocket::fairing::AdHoc;
use rocket::http::{Header, Status};
use rocket::response::Responder;
use rocket::{get, routes};

/// Rocket adds the length, and its Shield the nosniff.
#[derive(Responder)]
struct Answer {
    body: (Status, &'static str),
    cache_control: Header<'static>,
}

#[get("/health")]
fn handwritten() -> Answer {
    Answer {
        body: match is_in_maintenance() {
            true => (Status::ServiceUnavailable, "MAINTENANCE"),
            false => (Status::Ok, "OK"),
        },
        cache_control: Header::new("cache-control", "no-store"),
    }
}

#[get("/")]
fn page() -> &'static str {
    "OK"
}

#[tokio::main(worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Config {
        port: 0,
        log_level: LogLevel::Off,
        // A signal ends the process at once.
        shutdown: Shutdown { ctrlc: false, signals: [].into(), ..Shutdown::default() },
        ..Config::release_default()
    };
    let app = rocket::custom(settings);
    let handler = Handler::from_arguments()?;
    let app = match handler {
        Handler::Adapter => app.attach(health_rocket::fairing(health_bench::health()?)),
        Handler::Handwritten => app.mount("/", routes![handwritten]),
        Handler::App => app.mount("/", routes![page]),
        Handler::AppCovered => {
            let health = health_bench::health()?;
            app.mount("/", routes![page]).attach(health_rocket::fairing(health))
        }
        other => return Err(other.unsupported().into()),
    };
    let announce = AdHoc::on_liftoff("announce", move |rocket| {
        let config = rocket.config();
        handler.announce((config.address, config.port).into());
        Box::pin(async {})
    });
    app.attach(announce).launch().await?;
    Ok(())
}
