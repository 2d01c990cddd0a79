//! A health endpoint for [Rocket](rocket): `GET /health` says `OK`, or `MAINTENANCE` while a marker
//! file exists, and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it lets [`Health`] answer at its path for every method that Rocket
//! knows, passes the raw query in, and copies the answer out. It sets no timeout and touches no other
//! path.
//!
//! ```
//! use health_core::Health;
//!
//! let health = Health::builder()
//!     .check("database", || async { Ok::<(), std::io::Error>(()) })
//!     .build()?;
//! let app = rocket::build().attach(health_rocket::fairing(health));
//! # Ok::<(), health_core::BuildError>(())
//! ```
//!
//! What Rocket 0.5 does before any route, no adapter can change: it answers 400 to a method that it
//! does not know, waits for the first bytes of a body that a request announces, and sends no reason
//! phrase with a code such as 299.

use std::io::Cursor;

use health_core::{EndpointHandle, Health};
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::http::{Method, Status};
use rocket::route::{Handler, Outcome};
use rocket::{Build, Data, Request, Response, Rocket, Route};

/// A fairing that mounts the health endpoints: [attach](rocket::Rocket::attach) it.
///
/// It answers at exactly [`HealthConfig::url`](health_core::HealthConfig::url) and the path of each
/// [`Endpoint`](health_core::Endpoint). Rocket alone would also route `/health/` and `//health` there (H1); these are
/// forwarded to the application's routes.
///
/// The launch fails if the application has a route of its own at one of these paths.
pub fn fairing(health: Health) -> impl Fairing {
    Endpoints(health)
}

struct Endpoints(Health);

#[derive(Clone)]
struct Endpoint(EndpointHandle);

impl Endpoint {
    fn routes(self) -> [Route; 9] {
        [
            Method::Get,
            Method::Put,
            Method::Post,
            Method::Delete,
            Method::Options,
            Method::Head,
            Method::Trace,
            Method::Connect,
            Method::Patch,
        ]
        .map(|method| Route::new(method, self.0.path(), self.clone()))
    }
}

#[rocket::async_trait]
impl Fairing for Endpoints {
    fn info(&self) -> Info {
        Info {
            name: "health endpoints",
            kind: Kind::Ignite | Kind::Response,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        self.0.start_on_tokio();
        let routes = self
            .0
            .endpoints()
            .map(|endpoint| Endpoint(endpoint).routes());
        Ok(rocket.mount("/", routes.flatten().collect::<Vec<_>>()))
    }

    /// Rocket's own Shield has run by now, if the application has not turned it off.
    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        if self.0.at(request.uri().path().raw().as_str()).is_some() {
            response.set_raw_header(NOSNIFF, "nosniff");
        }
    }
}

/// Shield warns, at every poll, about this header where it finds it set: it is set after Shield.
const NOSNIFF: &str = "x-content-type-options";

#[rocket::async_trait]
impl Handler for Endpoint {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let uri = request.uri();
        if uri.path().raw() != self.0.path() {
            return Outcome::forward(data, Status::NotFound);
        }
        let query = uri.query().map_or("", |query| query.raw().as_str());
        let answer = self.0.respond(query).await;

        let body = answer.body();
        let mut response = Response::new();
        response.set_status(Status::new(answer.status().as_u16()));
        response.set_sized_body(body.len(), Cursor::new(body));
        for (name, value) in answer.headers() {
            if name != NOSNIFF {
                response.set_raw_header(name, value);
            }
        }
        Outcome::Success(response)
    }
}
