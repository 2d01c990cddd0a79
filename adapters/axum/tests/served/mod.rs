//! An application on the server of this crate.

use std::future::pending;
use std::io;

use axum::Router;
use health_axum::{Health, serve};
use health_conformance::Server;
use health_testees::covered::serve_on;

pub(crate) fn serve_app(health: Health, app: Router) -> io::Result<Server> {
    serve_on(|listener| serve(listener, app, health, pending()))
}
