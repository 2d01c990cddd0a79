//! A liveness endpoint fails while handlers block every worker of the application.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::net::{Ipv4Addr, SocketAddr};

use health_rocket::{Check, Health};
use health_testees::blocked::{
    EXPIRY, TAG, WORKERS, block, liveness_fails_while_every_worker_is_blocked, ready,
};
use rocket::config::{Config, LogLevel};
use rocket::fairing::AdHoc;
use rocket::{get, routes};

#[get("/block")]
async fn blocking() {
    block();
}

fn serve(health: Health) {
    let default = Config::release_default();
    let config = Config { port: 0, workers: WORKERS, log_level: LogLevel::Off, ..default };
    let ready = AdHoc::on_liftoff("ready", |rocket| {
        ready(SocketAddr::from((Ipv4Addr::LOCALHOST, rocket.config().port)));
        Box::pin(async {})
    });
    let app = rocket::custom(config).mount("/", routes![blocking]).attach(ready);
    rocket::execute(app.attach(health_rocket::fairing(health)).launch()).map(drop).unwrap();
}

#[test]
fn liveness_fails_while_handlers_block_every_worker() {
    liveness_fails_while_every_worker_is_blocked(
        "liveness_fails_while_handlers_block_every_worker",
        |builder| builder.register(Check::tokio_runtime("runtime", EXPIRY).tag(TAG)),
        serve,
    );
}
