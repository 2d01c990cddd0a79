//! What becomes of the application's own routes at and around an endpoint's path, and of a second mount.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use health_rocket::{Endpoint, Health, HealthResponder, fairing};
use health_testees::ask;
use health_testees::rocket::serve_app;
use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::request::{FromRequest, Outcome};
use rocket::shield::Shield;
use rocket::{Build, Request, Rocket, Route, State, get, routes, uri};

fn health() -> Health {
    let ready = Endpoint::readiness("/ready");
    Health::builder().endpoint(ready).build().unwrap()
}

#[get("/health")]
fn own() -> &'static str {
    "own"
}

#[get("/<_..>")]
fn every() -> &'static str {
    "own"
}

#[get("/own")]
async fn handler(health: &State<Health>) -> HealthResponder {
    HealthResponder(health.respond("").await)
}

/// What `GET` of each path is answered with.
fn answers<const N: usize>(
    complete: impl FnOnce(Rocket<Build>) -> Rocket<Build>,
    paths: [&str; N],
) -> [(u16, String); N] {
    let server = serve_app(complete).unwrap();
    paths.map(|path| ask(server.address(), &format!("GET {path}")))
}

/// With ranks as the application may choose them.
fn ranked(mut routes: Vec<Route>, rank: isize) -> Vec<Route> {
    routes.iter_mut().for_each(|route| route.rank = rank);
    routes
}

fn is(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

fn fails(app: Rocket<Build>) -> bool {
    LazyLock::force(&LOG);
    let error = rocket::execute(app.ignite()).unwrap_err();
    matches!(error.kind(), ErrorKind::FailedFairings(failed) if failed[0].name == "health endpoints")
}

#[test]
fn a_route_at_the_path_of_an_endpoint_fails_the_launch_in_either_order_and_with_any_rank() {
    let app = || {
        rocket::build().configure(rocket::Config {
            log_level: rocket::config::LogLevel::Off,
            ..Default::default()
        })
    };
    for route in [routes![own], ranked(routes![own], -100), ranked(routes![own], 100)] {
        assert!(fails(app().mount("/", route.clone()).attach(fairing(health()))));
        assert!(fails(app().attach(fairing(health())).mount("/", route)));
    }
}

#[test]
fn the_log_names_the_path_that_two_routes_have() {
    let ready = Endpoint::readiness("/taken/health");
    let health = Health::builder().endpoint(ready).build().unwrap();
    assert!(fails(rocket::build().mount("/taken", routes![own]).attach(fairing(health))));
    let log = String::from_utf8(LOG.0.lock().unwrap().clone()).unwrap();
    let mut lines = log.lines();
    let is_it =
        |line: &str| line.contains("ERROR") && line.contains("two routes for /taken/health");
    assert!(lines.any(is_it), "{log}");
}

/// What all tests log. Without a subscriber, the first record would disable those of the same place for all threads.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || lines.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    log
});

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_endpoint_that_is_mounted_twice_fails_the_launch() {
    let (app, same) = (rocket::build(), health());
    assert!(fails(app.attach(fairing(same.clone())).attach(fairing(same))));
    let app = rocket::build().attach(fairing(health()));
    assert!(fails(app.attach(fairing(health()))));
}

#[test]
fn a_catch_all_is_less_specific_in_either_order_whatever_its_rank() {
    let paths = ["/health", "/other"];
    let expected = [is(200, "OK"), is(200, "own")];
    let got = answers(
        |app| app.mount("/", ranked(routes![every], -100)).attach(fairing(health())),
        paths,
    );
    assert_eq!(got, expected);
    let got = answers(
        |app| app.attach(fairing(health())).mount("/", ranked(routes![every], -100)),
        paths,
    );
    assert_eq!(got, expected);
}

#[test]
fn a_mount_below_a_prefix_is_another_path() {
    let mount = |app: Rocket<Build>| app.mount("/api", routes![own]).attach(fairing(health()));
    let got = answers(mount, ["/health", "/api/health"]);
    assert_eq!(got, [is(200, "OK"), is(200, "own")]);
}

#[test]
fn one_endpoint_can_be_mounted_without_the_others() {
    let mount = |app: Rocket<Build>| app.attach(fairing(health().at("/ready").unwrap()));
    let got = answers(mount, ["/ready", "/health"]);
    assert_eq!(got.map(|(status, _)| status), [200, 404]);
}

#[test]
fn the_response_of_the_core_is_a_responder() {
    let health = health();
    health.drain();
    let mount = |app: Rocket<Build>| app.manage(health).mount("/", routes![handler]);
    assert_eq!(answers(mount, ["/own"]), [is(299, "MAINTENANCE")]);
}

#[test]
fn an_endpoint_forbids_sniffing_once_whether_shield_does_or_not() {
    for shield in [Shield::default(), Shield::new()] {
        let app = rocket::build().attach(shield).attach(fairing(health()));
        let client = Client::untracked(app).unwrap();
        let response = client.get("/health").dispatch();
        let values = response.headers().get("x-content-type-options");
        assert_eq!(values.collect::<Vec<_>>(), ["nosniff"]);
    }
}

/// Rejects every request, as a rate limit or an authentication may.
struct Guard;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Guard {
    type Error = ();

    async fn from_request(_: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Error((Status::TooManyRequests, ()))
    }
}

#[get("/own")]
fn guarded(_guard: Guard) -> &'static str {
    "own"
}

#[get("/<_..>")]
fn every_guarded(_guard: Guard) -> &'static str {
    "own"
}

#[test]
fn a_guard_of_the_application_rejects_no_polls() {
    for routes in [routes![guarded], ranked(routes![every_guarded], -100)] {
        let got =
            answers(|app| app.mount("/", routes).attach(fairing(health())), ["/ready", "/own"]);
        assert_eq!(got.map(|(status, _)| status), [200, 429]);
    }
}

#[test]
fn a_request_fairing_that_changes_the_path_rejects_polls_in_either_order() {
    let reject = || {
        AdHoc::on_request("reject", |request, _| {
            request.set_uri(uri!("/refused"));
            Box::pin(async {})
        })
    };
    let got = answers(|app| app.attach(reject()).attach(fairing(health())), ["/ready"]);
    assert_eq!(got.map(|(status, _)| status), [404]);
    let got = answers(|app| app.attach(fairing(health())).attach(reject()), ["/ready"]);
    assert_eq!(got.map(|(status, _)| status), [404]);
}
