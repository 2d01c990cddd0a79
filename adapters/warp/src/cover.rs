//! The wrapper that covers an application (H26).

use std::cell::Cell;
use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::Stream;
use health_core::{ActiveRequest, Endpoints};
use hyper::body::{Body, Bytes};
use tower_service::Service;
use warp::http::header::{CONNECTION, HeaderValue};
use warp::http::{Request, StatusCode, Version};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::respond_to;
use crate::route::{find, found};

/// Returns a filter that responds to every method except `CONNECT` at exactly the path of each health endpoint, and
/// passes every other request to the application. It covers the application for a [drain](crate::Health::drain_when):
/// it counts the [active requests](crate::Health::active_requests), until the end of their bodies, and while draining
/// it adds `Connection: close` to HTTP/1 responses, after which the server closes their connections
/// ([H26](https://docs.rs/health-core/latest/health_core/contract/index.html#h26)).
///
/// Accepts a [`Health`](crate::Health), an [`EndpointHandle`](crate::EndpointHandle) or an array of these. If they
/// belong to several `Health`s, the first one counts. The endpoints take precedence over the filters of the
/// application.
///
/// The result is the whole application, for `warp::serve`. The header is only for responses, so a request that the
/// application rejects gets the response that warp gives it. [Recover](warp::Filter::recover) before `wrap`.
///
/// ```
/// use health_warp::{Endpoint, Health};
/// use warp::Filter;
///
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// let shop = warp::path::end().map(|| "shop");
/// let orders = warp::path!("orders").map(|| "orders");
/// let app = health_warp::wrap(health, shop.or(orders));
/// # Ok::<(), health_warp::BuildError>(())
/// ```
///
/// A web socket outlives its request: hold [`Health::track`](crate::Health::track) as long as it lasts.
pub fn wrap<F, R>(
    endpoints: impl Into<Endpoints>,
    app: F,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static
where
    F: Filter<Extract = (R,), Error: MayReject> + Clone + Send + Sync + 'static,
    R: Reply + 'static,
{
    let endpoints = endpoints.into();
    endpoints.start_on_tokio();
    let begin = warp::log::custom(move |request| {
        find(&endpoints, &request);
        COVERED
            .set(Some(Covered { active: endpoints.health().track(), version: request.version() }));
    });
    let begin = warp::any().map(warp::reply).with(begin).map(|_| COVERED.take());
    let app = MayReject::recover(app.map(Reply::into_response));
    begin.and(respond_to(found()).or(app).unify()).map(finish)
}

thread_local! {
    /// Passes a request from one closure of [`wrap`] to the next, within one poll.
    static COVERED: Cell<Option<Covered>> = const { Cell::new(None) };
}

/// A request.
struct Covered {
    active: ActiveRequest,
    version: Version,
}

fn finish(covered: Option<Covered>, mut response: Response) -> Response {
    let Some(Covered { active, version }) = covered else {
        return response;
    };
    if version <= Version::HTTP_11 && active.closes_connection(response.status().as_u16()) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        // hyper, below warp, adds `keep-alive` to a response in HTTP/1.1 to a client of HTTP/1.0.
        *response.version_mut() = version;
    }
    // A body with a length is a buffer, because warp makes no other.
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| {
        warp::reply::stream(ActiveStream { body, _active: active }).into_response().into_body()
    })
}

/// A body that keeps its request active until its end. warp accepts only a stream as a new body.
struct ActiveStream<B> {
    body: B,
    _active: ActiveRequest,
}

impl<B: Body<Data = Bytes> + Unpin> Stream for ActiveStream<B> {
    type Item = Result<Bytes, B::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = &mut self.get_mut().body;
        let frame = Pin::new(body).poll_frame(context);
        // No body of warp has trailers.
        frame.map_ok(|frame| frame.into_data().unwrap_or_default())
    }
}

/// The error of an application: a [`Rejection`], or [`Infallible`] after a [`recover`](warp::Filter::recover) that
/// rejects nothing. [`wrap`] accepts both.
pub trait MayReject: Sized {
    /// The application with a response for each request.
    #[doc(hidden)]
    fn recover<F>(
        app: F,
    ) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static
    where
        F: Filter<Extract = (Response,), Error = Self> + Clone + Send + Sync + 'static;
}

impl MayReject for Infallible {
    fn recover<F>(
        app: F,
    ) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static
    where
        F: Filter<Extract = (Response,), Error = Self> + Clone + Send + Sync + 'static,
    {
        app
    }
}

impl MayReject for Rejection {
    fn recover<F>(
        app: F,
    ) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static
    where
        F: Filter<Extract = (Response,), Error = Self> + Clone + Send + Sync + 'static,
    {
        app.recover(async |rejection| Ok(respond(rejection).await)).unify()
    }
}

/// The response that warp gives to a rejected request.
async fn respond(rejection: Rejection) -> Response {
    if rejection.is_not_found() {
        return StatusCode::NOT_FOUND.into_response();
    }
    // Only a service of warp turns it into a response, and must not be called within another one: hence the task.
    let rejection = Arc::new(Mutex::new(Some(rejection)));
    let reject = move || {
        let rejection = rejection.lock().unwrap_or_else(PoisonError::into_inner).take();
        ready(Err::<Response, _>(rejection.unwrap_or_else(warp::reject::not_found)))
    };
    let response = tokio::spawn(async move {
        let request = Request::new(String::new());
        let Ok(response) = warp::service(warp::any().and_then(reject)).call(request).await;
        response
    });
    response.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}
