//! A health endpoint for [Rocket](rocket): `GET /health` says `OK`, or `MAINTENANCE` while a marker
//! file exists, and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it lets the endpoints answer at their paths for every method that Rocket
//! knows, passes the raw query in, and copies the answer out. It sets no timeout and touches no other
//! path.
//!
//! ```
//! use health_rocket::Health;
//!
//! let health = Health::builder()
//!     .check("database", || async { Ok::<(), std::io::Error>(()) })
//!     .build()?;
//! let app = rocket::build().attach(health_rocket::fairing(health));
//! # Ok::<(), health_rocket::BuildError>(())
//! ```
//!
//! What Rocket 0.5 does before any route, no adapter can change: it answers 400 to a method that it
//! does not know, waits for the first bytes of a body that a request announces, and sends no reason
//! phrase with a code such as 299.
//!
//! The crate re-exports [`health_core`], so that an application depends on this crate alone.
//!
//! # Features
//!
//! `signal` and `serde`, both off by default, are [those of the core](health_core#features).

mod responder;

#[doc(no_inline)]
pub use health_core::*;
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::http::Method;
use rocket::route::{Handler, Outcome};
use rocket::{Build, Data, Request, Response, Rocket, Route};

pub use crate::responder::HealthResponder;
use crate::responder::response;

/// A fairing that mounts the health endpoints: [attach](rocket::Rocket::attach) it.
///
/// Takes a [`Health`], an [`EndpointHandle`] or an array of these. It answers every method but `CONNECT` at exactly the
/// path of each endpoint. Rocket alone would also route `/health/` and `//health` there (H1); these are forwarded to the
/// application's routes. The endpoints come before every route with a parameter, whatever its rank.
///
/// The launch fails if the application, or another such fairing, has a route at one of these paths, whatever its rank; a
/// record at ERROR names the path.
///
/// ```
/// # use health_rocket::{Endpoint, Health};
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// let ready = health.at("/ready").ok_or("no such endpoint")?;
/// let public = rocket::build().attach(health_rocket::fairing(ready));
/// let internal = rocket::build().attach(health_rocket::fairing(health));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fairing(endpoints: impl Into<Endpoints>) -> impl Fairing {
    HealthFairing { endpoints: endpoints.into() }
}

struct HealthFairing {
    endpoints: Endpoints,
}

#[rocket::async_trait]
impl Fairing for HealthFairing {
    fn info(&self) -> Info {
        Info { name: "health endpoints", kind: Kind::Ignite | Kind::Response }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        self.endpoints.start_on_tokio();
        for endpoint in self.endpoints.iter() {
            let path = endpoint.path();
            if rocket.routes().any(|route| route.uri.path() == path) {
                tracing::error!(
                    target: LOG_TARGET,
                    "two routes for {path}: remove the other one, or give the health endpoint another path"
                );
                return Err(rocket);
            }
        }
        let routes = self.endpoints.iter().flat_map(routes);
        Ok(rocket.mount("/", routes.collect::<Vec<_>>()))
    }

    /// Rocket's own Shield has run by now, and set this header if the application has not turned it off.
    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let path = request.uri().path().raw().as_str();
        if self.endpoints.route(request.method().as_str(), path).is_none() {
            return;
        }
        // A loop is cheaper than a lookup, because Rocket hashes a name letter by letter. So is a comparison of the lengths
        // first, because that of the names ignores case.
        for header in response.headers().iter() {
            let is_as_long = header.name.as_str().len() == NOSNIFF.len();
            if is_as_long && header.name == NOSNIFF && header.value == "nosniff" {
                return;
            }
        }
        response.set_raw_header(NOSNIFF, "nosniff");
    }
}

/// Every method that Rocket knows, but `CONNECT` (H2).
const METHODS: [Method; 8] = [
    Method::Get,
    Method::Put,
    Method::Post,
    Method::Delete,
    Method::Options,
    Method::Head,
    Method::Trace,
    Method::Patch,
];

fn routes(endpoint: &EndpointHandle) -> [Route; METHODS.len()] {
    METHODS.map(|method| {
        let handler = HealthHandler(endpoint.clone());
        Route::ranked(isize::MIN, method, endpoint.path(), handler)
    })
}

#[derive(Clone)]
struct HealthHandler(EndpointHandle);

#[rocket::async_trait]
impl Handler for HealthHandler {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let (endpoint, uri) = (&self.0, request.uri());
        if uri.path().raw() != endpoint.path() {
            return Outcome::forward(data, rocket::http::Status::NotFound);
        }
        let query = uri.query().map_or("", |query| query.raw().as_str());
        let answer = endpoint.respond(query).await;
        Outcome::Success(response(answer, |name| name != NOSNIFF))
    }
}

/// Shield warns, at every poll, about this header where it finds it set: it is set after Shield.
const NOSNIFF: &str = "x-content-type-options";
