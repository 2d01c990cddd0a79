//! The conversion of responses.

use std::borrow::Cow;
use std::io::Cursor;

use health_core::HealthResponse;
use rocket::http::Status;
use rocket::response::{self, Responder};
use rocket::{Request, Response};

/// The response of an endpoint as a Rocket responder. Use it in the application's handlers. Rocket cannot send a custom
/// reason phrase.
///
/// It sets all headers of rule H9, including `X-Content-Type-Options`. Rocket's `Shield` sets that header too, and logs a
/// warning if it is already set: disable its `NoSniff`.
///
/// ```
/// use health_rocket::{Health, HealthResponder};
/// use rocket::{State, get};
///
/// #[get("/deep")]
/// async fn deep(health: &State<Health>) -> HealthResponder {
///     HealthResponder(health.respond("checks=all").await)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct HealthResponder(pub HealthResponse);

impl<'r> Responder<'r, 'static> for HealthResponder {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(response(self.0, |_| true))
    }
}

/// Converts `answer` with the headers whose names are `wanted`. Rocket itself sends the length of the body.
#[inline]
pub(crate) fn response(answer: HealthResponse, wanted: impl Fn(&str) -> bool) -> Response<'static> {
    let mut response = Response::new();
    response.set_status(Status::new(answer.status().as_u16()));
    // Cheaper than a loop, which asks each part of the chain for the next header.
    answer.headers().for_each(|(name, value)| {
        if name != "content-length" && wanted(name) {
            response.set_raw_header(name, value);
        }
    });
    let body = answer.into_body();
    match body {
        Cow::Borrowed(word) => response.set_sized_body(word.len(), Cursor::new(word)),
        Cow::Owned(text) => response.set_sized_body(text.len(), Cursor::new(text)),
    }
    response
}
