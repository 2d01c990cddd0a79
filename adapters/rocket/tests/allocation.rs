//! The fairing allocates nothing for a plain response of the application.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io::Cursor;

use allocation_counter::measure;
use health_rocket::{Health, fairing};
use rocket::config::{Config, LogLevel};
use rocket::local::blocking::Client;
use rocket::response::Responder;
use rocket::{Build, Request, Response, Rocket, get, routes};

struct Stream;

impl<'r> Responder<'r, 'static> for Stream {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        Response::build().streamed_body(Cursor::new("stream")).ok()
    }
}

#[get("/")]
fn plain() -> &'static str {
    "application"
}

#[get("/stream")]
fn stream() -> Stream {
    Stream
}

fn app() -> Rocket<Build> {
    let config = Config { log_level: LogLevel::Off, ..Config::release_default() };
    rocket::custom(config).mount("/", routes![plain, stream])
}

/// The allocations of the second request.
fn allocations(rocket: Rocket<Build>, path: &'static str) -> u64 {
    let client = Client::untracked(rocket).unwrap();
    drop(client.get(path).dispatch());
    let second = client.get(path);
    measure(|| drop(second.dispatch())).count_total
}

#[test]
fn a_response_is_covered_without_an_allocation_unless_it_is_a_stream() {
    let health = Health::builder().build().unwrap();
    // The box of the future that wraps the stream, and that of the wrapper.
    for (path, added) in [("/", 0), ("/missing", 0), ("/stream", 2)] {
        let covered = allocations(app().attach(fairing(&health)), path);
        assert_eq!(covered, allocations(app(), path) + added, "{path}");
        assert_eq!(health.active_requests(), 0);
    }
}
