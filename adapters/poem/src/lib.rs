#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(no_inline)]
pub use health_core::*;
use hyper::ext::ReasonPhrase;
use poem::{IntoResponse, Middleware, Request, Response, Result, http};

/// Returns a middleware that responds to every method except `CONNECT` at exactly the path of each health endpoint, and
/// passes every other request to the application. Add it [with](poem::EndpointExt::with) the application's routes.
///
/// Accepts a [`Health`], an [`EndpointHandle`] or an array of these. The endpoints take precedence over a route at the
/// same path. Middleware that is added later also covers the endpoints. Inside [`Route::nest`](poem::Route::nest), the
/// prefix comes before the path of the endpoint.
///
/// It is not an endpoint for [`Route::at`](poem::Route::at), because that reads the `:` of a path such as `/app:health` as
/// the start of a parameter.
///
/// ```
/// # use health_poem::{Endpoint, Health};
/// # use poem::{EndpointExt, Route};
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// let ready = health.at("/ready").ok_or("no such endpoint")?;
/// let public = Route::new().with(health_poem::middleware(ready));
/// let internal = Route::new().with(health_poem::middleware(health));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn middleware<E: poem::Endpoint>(
    endpoints: impl Into<Endpoints>,
) -> impl Middleware<E, Output = impl poem::Endpoint<Output = Response>> {
    let endpoints = endpoints.into();
    endpoints.start_on_tokio();
    HealthMiddleware { endpoints }
}

struct HealthMiddleware {
    endpoints: Endpoints,
}

impl<E: poem::Endpoint> Middleware<E> for HealthMiddleware {
    type Output = HealthEndpoint<E>;

    fn transform(&self, app: E) -> HealthEndpoint<E> {
        HealthEndpoint { endpoints: self.endpoints.clone(), app }
    }
}

struct HealthEndpoint<E> {
    endpoints: Endpoints,
    app: E,
}

impl<E: poem::Endpoint> poem::Endpoint for HealthEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let uri = request.uri();
        if let Some(endpoint) = self.endpoints.route(request.method().as_str(), uri.path()) {
            let query = uri.query().unwrap_or_default();
            return Ok(response(endpoint.respond(query).await));
        }
        self.app.call(request).await.map(E::Output::into_response)
    }
}

/// Converts the response of an endpoint into poem's, including the reason phrase. Use it in the application's handlers.
///
/// ```
/// use health_poem::Health;
/// use poem::{Response, handler, web::Data};
///
/// #[handler]
/// async fn health(health: Data<&Health>) -> Response {
///     health_poem::response(health.respond("checks=all").await)
/// }
/// ```
pub fn response(answer: HealthResponse) -> Response {
    let (head, body) = http::Response::from(answer).into_parts();
    let mut response = Response::from((head.status, body));
    *response.headers_mut() = head.headers;
    if let Some(reason) = answer.custom_reason() {
        response.set_data(ReasonPhrase::from_static(reason.as_bytes()));
    }
    response
}
