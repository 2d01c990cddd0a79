//! A check that is stuck does not hold up the end of the process.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::net::{Ipv4Addr, SocketAddr};

use rocket::config::{Config, LogLevel};
use rocket::fairing::AdHoc;

/// Rocket binds, and looks after SIGTERM, by itself.
fn serve(health: health_rocket::Health) {
    let config = Config { port: 0, log_level: LogLevel::Off, ..Config::release_default() };
    let ready = AdHoc::on_liftoff("ready", |rocket| {
        health_testees::shutdown::ready(SocketAddr::from((
            Ipv4Addr::LOCALHOST,
            rocket.config().port,
        )));
        Box::pin(async {})
    });
    let app = rocket::custom(config).attach(health_rocket::fairing(health));
    rocket::execute(app.attach(ready).launch()).map(drop).unwrap();
}

#[test]
fn sigterm_ends_a_process_whose_checks_are_stuck() {
    health_testees::shutdown::ends_while_checks_are_stuck(
        "sigterm_ends_a_process_whose_checks_are_stuck",
        serve,
    );
}
