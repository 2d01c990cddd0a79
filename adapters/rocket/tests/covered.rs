//! The fairing covers the application: its connections and its active requests.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io::{self, Cursor, Write as _};
use std::net::TcpStream;

use futures::StreamExt as _;
use health_conformance::Server;
use health_rocket::{Health, fairing};
use health_testees::ask;
use health_testees::covered::{BODY, Gate, LARGE, connection};
use health_testees::rocket::serve_app;
use rocket::fairing::AdHoc;
use rocket::fs::NamedFile;
use rocket::http::Status;
use rocket::response::stream::TextStream;
use rocket::response::{Responder, Response};
use rocket::{Build, Request, Rocket, State, catch, catchers, get, routes};

fn serve(health: Health, gate: Gate) -> io::Result<Server> {
    serve_app(|rocket| app(rocket, gate).attach(fairing(health)))
}

fn app(rocket: Rocket<Build>, gate: Gate) -> Rocket<Build> {
    let routes = routes![own, keep_alive, upgrade, wait, stream, large, panics, file, broken];
    rocket.mount("/", routes).manage(gate)
}

/// A response with the header `Connection`.
struct Connection(Status, &'static str);

impl<'r> Responder<'r, 'static> for Connection {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        let mut response = Response::build();
        response.status(self.0).raw_header("Connection", self.1).raw_header("Upgrade", "test");
        response.sized_body(BODY.len(), Cursor::new(BODY)).ok()
    }
}

#[get("/")]
fn own() -> &'static str {
    BODY
}

#[get("/keep-alive")]
fn keep_alive() -> Connection {
    Connection(Status::Ok, "keep-alive")
}

#[get("/upgrade-required")]
fn upgrade() -> Connection {
    Connection(Status::UpgradeRequired, "upgrade")
}

#[get("/wait")]
async fn wait(gate: &State<Gate>) -> &'static str {
    gate.inner().clone().pass().await;
    BODY
}

#[get("/stream")]
fn stream(gate: &State<Gate>) -> TextStream![&'static str] {
    let mut parts = Box::pin(gate.inner().clone().parts());
    TextStream! {
        while let Some(Ok(part)) = parts.next().await {
            yield part;
        }
    }
}

#[get("/large")]
fn large() -> Vec<u8> {
    vec![b'x'; LARGE]
}

#[get("/panic")]
#[expect(clippy::panic, reason = "to see what follows")]
fn panics() -> &'static str {
    panic!("on purpose")
}

/// A body whose length Rocket finds out.
#[get("/file")]
async fn file() -> NamedFile {
    NamedFile::open(file!().trim_start_matches("adapters/rocket/")).await.unwrap()
}

#[get("/broken")]
fn broken() -> Status {
    Status::ImATeapot
}

health_testees::covered_tests!(serve);

#[test]
fn a_file_keeps_its_length() {
    let health = Health::builder().build().unwrap();
    let server = serve_app(|rocket| app(rocket, Gate::closed()).attach(fairing(&health))).unwrap();
    let (status, body) = ask(server.address(), "GET /file");
    assert_eq!((status, body.as_str()), (200, include_str!("covered.rs")));
    let mut client = TcpStream::connect(server.address()).unwrap();
    write!(client, "HEAD /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let head = io::read_to_string(client).unwrap().to_lowercase();
    let length = format!("\r\ncontent-length: {}\r\n", body.len());
    assert!(head.contains(&length), "{head}");
    assert_eq!(health.active_requests(), 0);
}

#[catch(default)]
#[expect(clippy::panic, reason = "to see what follows")]
fn catcher() -> &'static str {
    panic!("on purpose")
}

#[test]
fn the_response_of_a_catcher_closes_its_connection_even_if_the_catcher_panics() {
    for catchers in [catchers![], catchers![catcher]] {
        let health = Health::builder().build().unwrap();
        let app =
            |rocket| app(rocket, Gate::closed()).register("/", catchers).attach(fairing(&health));
        let server = serve_app(app).unwrap();
        health.drain();
        for path in ["GET /broken", "GET /panic", "GET /missing", "POST /"] {
            assert_eq!(connection(server.address(), path), ["close"], "{path}");
        }
        assert_eq!(health.active_requests(), 0);
    }
}

#[test]
fn a_request_that_no_fairing_sees_is_not_active() {
    let health = Health::builder().build().unwrap();
    let server = serve_app(|rocket| app(rocket, Gate::closed()).attach(fairing(&health))).unwrap();
    // Rocket does not know the method.
    assert_eq!(ask(server.address(), "PURGE /").0, 400);
    assert_eq!(health.active_requests(), 0);
}

/// If this fails, the documentation of `fairing` says too little of Rocket.
#[test]
fn the_request_of_a_fairing_that_panics_remains_active() {
    let panics = AdHoc::on_response("panics", |_, _| panic!("on purpose"));
    let health = Health::builder().build().unwrap();
    let app = |rocket| app(rocket, Gate::closed()).attach(panics).attach(fairing(&health));
    let server = serve_app(app).unwrap();
    let mut client = TcpStream::connect(server.address()).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert_eq!(io::read_to_string(client).unwrap(), "");
    assert_eq!(health.active_requests(), 1);
}
