//! Response out.

use std::io::Cursor;

use health_core::HealthResponse;
use rocket::http::Status;
use rocket::response::{self, Responder};
use rocket::{Request, Response};

/// The core's response as a responder: for a handler of the application's own. Rocket has no way to set a reason phrase.
///
/// It has all headers of H9. Rocket's `Shield` sets one of them too, and warns where it is set already: disable its
/// `NoSniff`.
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
#[derive(Debug, Clone, Copy)]
pub struct HealthResponder(pub HealthResponse);

impl<'r> Responder<'r, 'static> for HealthResponder {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(response(self.0, |_| true))
    }
}

/// The response with the headers that are `wanted`. Rocket writes the length of the body itself.
pub(crate) fn response(answer: HealthResponse, wanted: impl Fn(&str) -> bool) -> Response<'static> {
    let body = answer.body();
    let mut response = Response::new();
    response.set_status(Status::new(answer.status().as_u16()));
    response.set_sized_body(body.len(), Cursor::new(body));
    for (name, value) in answer.headers() {
        if name != "content-length" && wanted(name) {
            response.set_raw_header(name, value);
        }
    }
    response
}
