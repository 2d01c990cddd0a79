//! A check that is stuck does not hold up the end of the process.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::future::{pending, ready};
use std::net::{Ipv4Addr, TcpListener};

use actix_web::{App, HttpServer, web};
use health_actix_web::{Drain, Health, Signals};

/// actix-web looks after SIGTERM by itself.
#[actix_web::main]
async fn serve(health: Health) {
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

#[actix_web::main]
async fn serve_covered(health: Health, drain: Drain) {
    let signals = Signals::new().unwrap();
    let drained = health.drain_when(signals, drain);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    health_testees::shutdown::ready(listener.local_addr().unwrap());
    let covers = health.clone();
    let app = move || {
        let active = covers.clone();
        let active = move || ready(active.active_requests().to_string());
        App::new()
            .route("/hangs", web::get().to(pending::<&str>))
            .route("/active", web::get().to(active))
            .wrap(health_actix_web::middleware(&covers))
    };
    let server = HttpServer::new(app).workers(2).listen(listener.try_clone().unwrap()).unwrap();
    let server = server.disable_signals().shutdown_timeout(600).run();
    let server = health_actix_web::serve(server, listener, drained);
    health.shut_down_after(server).await.exit()
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
