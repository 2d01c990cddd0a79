//! A check that is stuck does not hold up the end of the process.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::net::{Ipv4Addr, TcpListener};

use actix_web::{App, HttpServer};

/// actix-web looks after SIGTERM by itself.
#[actix_web::main]
async fn serve(health: health_actix_web::Health) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    health_testees::shutdown::ready(listener.local_addr().unwrap());
    HttpServer::new(move || App::new().service(health_actix_web::service(health.clone())))
        .workers(2)
        .listen(listener)
        .unwrap()
        .run()
        .await
        .unwrap();
}

#[test]
fn sigterm_ends_a_process_whose_checks_are_stuck() {
    health_testees::shutdown::ends_while_checks_are_stuck(
        "sigterm_ends_a_process_whose_checks_are_stuck",
        serve,
    );
}
