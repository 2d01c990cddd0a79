//! The server covers the application: its connections and its active requests.

use std::future::pending;
use std::io;

use health_conformance::Server;
use health_poem::Health;
use health_testees::covered::{Gate, serve_on};

mod application;

fn serve(health: Health, gate: Gate) -> io::Result<Server> {
    let app = application::app(gate);
    serve_on(|listener| health_poem::serve(listener, app, health, pending()))
}

health_testees::covered_tests!(serve);
