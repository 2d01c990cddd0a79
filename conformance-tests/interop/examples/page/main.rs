//! The server that `page` opens in a browser: for each state that an endpoint can have, a page at `/STATE`.
//!
//! The services have run for hours when the server listens, in virtual time, which passes like that of the system from then
//! on. `/toggle` turns the maintenance of `/ok` on or off. The program prints `READY ADDRESS`.

mod hostile;
mod service;
mod states;

use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use health_axum::{Health, HealthRequest};
use health_conformance::testee::VirtualTime;
use tokio::net::TcpListener;

use crate::service::PERIOD;

/// How many periods have passed when the server listens.
const TURNS: u64 = 65;

fn main() -> anyhow::Result<()> {
    let time = VirtualTime::default();
    let services = states::services(&time)?;
    for health in services.iter().map(|(_, health)| health) {
        health.start_on(time.clone());
    }
    for turn in 0..TURNS {
        time.pass(PERIOD);
        for (path, health) in &services {
            states::at_turn(turn, path, health, &time);
            poll(path, health, &time);
        }
    }
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.spawn(serve(services.clone()));
    // The tasks of the services run here.
    let mut last = Instant::now();
    let mut until_poll = Duration::ZERO;
    loop {
        thread::sleep(Duration::from_millis(1));
        let passed = last.elapsed();
        last += passed;
        time.pass(passed);
        until_poll = until_poll.saturating_sub(passed);
        if until_poll.is_zero() {
            until_poll = Duration::from_secs(3);
            services.iter().for_each(|(path, health)| poll(path, health, &time));
        }
    }
}

/// A request of a load balancer. No endpoint here waits for its checks.
fn poll(path: &str, health: &Health, time: &VirtualTime) {
    if let Some(endpoint) = health.at(path) {
        time.block_on(endpoint.respond(HealthRequest::new("")));
    }
}

async fn serve(services: Vec<(&'static str, Health)>) -> anyhow::Result<()> {
    let toggled =
        services.iter().find(|(path, _)| *path == "/ok").map(|(_, health)| health.clone());
    let toggle = move || async move {
        let Some(switch) = toggled.as_ref().map(Health::maintenance_switch) else { return };
        if switch.is_on() { switch.turn_off() } else { switch.turn_on() }
    };
    let mut app = Router::new().route("/toggle", get(toggle));
    for (_, health) in services {
        app = app.merge(health_axum::router(health));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("READY {}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
