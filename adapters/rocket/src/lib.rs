#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod responder;

use std::future::{poll_fn, ready};
use std::task::Poll;

#[doc(no_inline)]
pub use health_core::*;
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::http::Method;
use rocket::route::{BoxFuture, Handler, Outcome};
use rocket::{Build, Data, Request, Response, Rocket, Route};

pub use crate::responder::HealthResponder;
use crate::responder::response;

/// Returns a fairing that mounts the health endpoints. [Attach](rocket::Rocket::attach) it.
///
/// Accepts a [`Health`], an [`EndpointHandle`] or an array of these. The endpoints respond to every method that Rocket
/// knows except `CONNECT`, at exactly their paths: `/health/` and `//health`, which Rocket routes there too, are forwarded
/// to the application's routes. The endpoints take precedence over routes with parameters of any rank.
///
/// The launch fails if the application or another such fairing has a route at the path of an endpoint, whatever its rank.
/// A record at ERROR names the path.
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

    /// Sets the header that Rocket's Shield sets as well. Shield has run by now, unless the application has disabled it.
    // Not `async`: the future would be an allocation for every response of the application.
    fn on_response<'r, 'f, 'q, 's, 'all>(
        &'f self,
        request: &'r Request<'q>,
        response: &'s mut Response<'r>,
    ) -> BoxFuture<'all, ()>
    where
        'r: 'all,
        'f: 'all,
        'q: 'all,
        's: 'all,
    {
        let path = request.uri().path().raw().as_str();
        let endpoint = self.endpoints.route(request.method().as_str(), path);
        if endpoint.is_some() && !has_nosniff(response) {
            response.set_raw_header(NOSNIFF, "nosniff");
        }
        Box::pin(poll_fn(|_| Poll::Ready(())))
    }
}

/// A loop is cheaper than a lookup, because Rocket hashes a name letter by letter. The comparison of names ignores case; the
/// comparison of lengths is cheaper.
fn has_nosniff(response: &Response<'_>) -> bool {
    response.headers().iter().any(|header| {
        header.name.as_str().len() == NOSNIFF.len()
            && header.name == NOSNIFF
            && header.value == "nosniff"
    })
}

/// Every method that Rocket knows, except `CONNECT` (rule H2).
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
    // Not `async`: the future would carry `data`, which is large.
    fn handle<'r, 's, 'q, 'all>(
        &'s self,
        request: &'r Request<'q>,
        data: Data<'r>,
    ) -> BoxFuture<'all, Outcome<'r>>
    where
        'r: 'all,
        's: 'all,
        'q: 'all,
    {
        let Self(endpoint) = self;
        let uri = request.uri();
        if uri.path().raw() != endpoint.path() {
            return Box::pin(ready(Outcome::forward(data, rocket::http::Status::NotFound)));
        }
        let query = uri.query().map_or("", |query| query.raw().as_str());
        Box::pin(async move {
            Outcome::Success(response(endpoint.respond(query).await, |name| name != NOSNIFF))
        })
    }
}

/// The header that the fairing sets after Shield: Shield logs a warning for each response that already has it.
const NOSNIFF: &str = "x-content-type-options";
