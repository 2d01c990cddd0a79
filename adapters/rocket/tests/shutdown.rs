//! A check that is stuck does not hold up the end of the process.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};

use health_rocket::{Drain, Health, Signals};
use rocket::config::{Config, LogLevel};
use rocket::fairing::AdHoc;
use rocket::{State, get, routes};

/// Rocket binds, and looks after SIGTERM, by itself.
fn serve(health: Health) {
    let config = Config { port: 0, log_level: LogLevel::Off, ..Config::release_default() };
    let app = rocket::custom(config).attach(health_rocket::fairing(health));
    rocket::execute(app.attach(announce()).launch()).map(drop).unwrap();
}

fn announce() -> AdHoc {
    AdHoc::on_liftoff("ready", |rocket| {
        let port = rocket.config().port;
        health_testees::shutdown::ready(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        Box::pin(async {})
    })
}

#[get("/hangs")]
async fn hangs() -> &'static str {
    pending().await
}

#[get("/active")]
fn active(health: &State<Health>) -> String {
    health.active_requests().to_string()
}

fn serve_covered(health: Health, drain: Drain) {
    rocket::execute(launch(health, drain))
}

async fn launch(health: Health, drain: Drain) {
    let signals = Signals::new().unwrap();
    let drained = health.drain_when(signals, drain);
    let config = Config { port: 0, log_level: LogLevel::Off, ..Config::release_default() };
    let rocket = rocket::custom(config)
        .mount("/", routes![hangs, active])
        .manage(health.clone())
        .attach(health_rocket::fairing(&health))
        .attach(announce());
    health.shut_down_after(health_rocket::launch(rocket, drained)).await.exit()
}

#[test]
fn a_drain_ends_a_process_whose_handler_hangs() {
    health_testees::shutdown::ends_while_a_handler_hangs(
        "a_drain_ends_a_process_whose_handler_hangs",
        serve_covered,
    );
}

#[test]
fn sigterm_ends_a_process_whose_checks_are_stuck() {
    health_testees::shutdown::ends_while_checks_are_stuck(
        "sigterm_ends_a_process_whose_checks_are_stuck",
        serve,
    );
}
