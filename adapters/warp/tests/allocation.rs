//! The wrapper allocates nothing for a plain response of the application.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use allocation_counter::measure;
use futures::FutureExt as _;
use health_warp::{Health, wrap};
use tower_service::Service;
use warp::Filter;
use warp::http::Request;
use warp::reply::Response;

/// The allocations of the second request.
fn allocations<S: Service<Request<String>, Response = Response>>(
    mut service: S,
    path: &str,
) -> u64 {
    let mut request = Request::new(String::new());
    *request.uri_mut() = path.parse().unwrap();
    drop(service.call(request.clone()).now_or_never().unwrap());
    measure(|| drop(service.call(request).now_or_never().unwrap())).count_total
}

#[test]
fn a_response_is_covered_without_an_allocation_unless_it_is_a_stream() {
    let plain = warp::path!("plain").map(|| "application");
    let app = plain.or(warp::path!("stream")
        .map(|| warp::reply::stream(futures::stream::empty::<Result<&str, std::io::Error>>())));
    let health = Health::builder().build().unwrap();
    for (path, added) in [("/plain", 0), ("/missing", 0), ("/stream", 1)] {
        let covered = allocations(warp::service(wrap(&health, app)), path);
        assert_eq!(covered, allocations(warp::service(app), path) + added, "{path}");
        assert_eq!(health.active_requests(), 0);
    }
}
