//! The server covers the application: its connections and its active requests.

use std::future::pending;
use std::io;

use health_conformance::Server;
use health_testees::covered::{Gate, serve_on};
use health_warp::Health;

mod application;

fn serve(health: Health, gate: Gate) -> io::Result<Server> {
    let app = application::app(gate);
    serve_on(|listener| health_warp::serve(listener, app, health, pending()))
}

health_testees::covered_tests!(serve);
