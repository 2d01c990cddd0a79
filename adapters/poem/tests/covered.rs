//! The middleware covers the application: its connections and its active requests.

use std::io;

use futures::executor::block_on;
use health_conformance::Server;
use health_poem::{Health, middleware};
use health_testees::covered::Gate;
use health_testees::poem::serve_app;
use poem::http::Version;
use poem::{Endpoint, EndpointExt as _, Request, Route};

mod application;

use application::app;

fn serve(health: Health, gate: Gate) -> io::Result<Server> {
    serve_app(move || app(gate).with(middleware(health)))
}

health_testees::covered_tests!(serve);

#[test]
fn http_2_gets_no_connection_header() {
    let health = Health::builder().build().unwrap();
    let app = Route::new().with(middleware(&health));
    health.drain();
    for (version, closes) in [(Version::HTTP_11, true), (Version::HTTP_2, false)] {
        for path in ["/health", "/missing"] {
            let request = Request::builder().version(version).uri_str(path).finish();
            let response = block_on(app.get_response(request));
            assert_eq!(response.headers().contains_key("connection"), closes, "{version:?} {path}");
        }
    }
}
