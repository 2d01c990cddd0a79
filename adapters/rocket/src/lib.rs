#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cover;
mod launch;
mod listener;
mod responder;

use std::future::ready;

#[doc(no_inline)]
pub use health_core::*;
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::http::Method;
use rocket::route::{BoxFuture, Handler, Outcome};
use rocket::{Build, Data, Request, Response, Rocket, Route};

use crate::cover::{keep_active, nothing};
pub use crate::launch::launch;
pub use crate::responder::HealthResponder;
use crate::responder::response;

/// Returns a fairing that mounts the health endpoints. [Attach](rocket::Rocket::attach) it.
///
/// Accepts a [`Health`], an [`EndpointHandle`] or an array of these. The endpoints respond to every method that Rocket
/// knows except `CONNECT`, at exactly their paths: `/health/` and `//health`, which Rocket routes there too, are
/// forwarded to the application's routes. The endpoints take precedence over routes with parameters of any rank.
///
/// The launch fails if the application or another such fairing has a route at the path of an endpoint, whatever its
/// rank. A record at ERROR names the path.
///
/// The fairing also covers the application for a [drain](Health::drain_when): it counts the [active
/// requests](Health::active_requests), until the end of their bodies, and while draining it adds `Connection: close` to
/// responses, after which the server closes their connections
/// ([H26](https://docs.rs/health-core/latest/health_core/contract/index.html#h26)). If the endpoints belong to several
/// `Health`s, the first one counts. It covers every request that fairings see: Rocket responds 400 to a malformed one
/// without them. A handler that panics ends its request; if another *fairing* panics, the request remains active,
/// because Rocket drops it without a word.
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
        Info { name: "health endpoints", kind: Kind::Ignite | Kind::Request | Kind::Response }
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

    /// Counts the request. [`on_response`](Self::on_response) has its guard: to keep one in the cache of a request
    /// would take two allocations.
    // Not `async`: the future would be an allocation for every request of the application.
    fn on_request<'f, 'r, 'q, 'd, 'c, 'all>(
        &'f self,
        _: &'r mut Request<'q>,
        _: &'d mut Data<'c>,
    ) -> BoxFuture<'all, ()>
    where
        'f: 'all,
        'r: 'all,
        'q: 'all,
        'd: 'all,
        'c: 'all,
    {
        self.endpoints.health().track().detach();
        nothing()
    }

    /// Covers the response, and sets the header that Rocket's Shield sets as well. Shield has run by now, unless the
    /// application has disabled it.
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
        let active = self.endpoints.health().reattach();
        let path = request.uri().path().raw().as_str();
        let endpoint = self.endpoints.route(request.method().as_str(), path);
        if endpoint.is_some() && !has_nosniff(response) {
            response.set_raw_header(NOSNIFF, "nosniff");
        }
        // Rocket does not tell the version of HTTP; hyper, below it, removes the header from responses of HTTP/2.
        if active.closes_connection(response.status().code) {
            response.set_raw_header("Connection", "close");
        }
        keep_active(response, active)
    }
}

/// A loop is cheaper than a lookup, because Rocket hashes a name letter by letter. The comparison of names ignores
/// case; the comparison of lengths is cheaper.
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
        if request.uri().path().raw() != endpoint.path() {
            return Box::pin(ready(Outcome::forward(data, rocket::http::Status::NotFound)));
        }
        let facts = facts(endpoint, request);
        Box::pin(async move {
            Outcome::Success(response(endpoint.respond(facts).await, |name| name != NOSNIFF))
        })
    }
}

/// What the endpoint needs to know of a request.
fn facts<'a>(endpoint: &EndpointHandle, request: &'a Request<'_>) -> HealthRequest<'a> {
    let query = request.uri().query();
    let facts = HealthRequest::new(query.map_or("", |query| query.raw().as_str()));
    if !endpoint.reads_headers() {
        return facts;
    }
    // Not `client_ip`, which believes the client.
    let address = request.remote().map(|address| address.ip());
    let lines = |name| request.headers().get(name).map(move |line| (name, line.as_bytes()));
    facts.client(address).headers(HealthRequest::HEADERS.iter().copied().flat_map(lines))
}

/// The header that the fairing sets after Shield: Shield logs a warning for each response that already has it.
const NOSNIFF: &str = "x-content-type-options";
