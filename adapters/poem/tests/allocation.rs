//! The middleware allocates nothing for a plain response of the application.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use allocation_counter::measure;
use futures::executor::block_on;
use health_poem::{Health, middleware};
use poem::endpoint::make_sync;
use poem::{Body, Endpoint, EndpointExt as _, IntoResponse, Request, Route};

fn app<R: IntoResponse + Sync + 'static>(respond: fn() -> R) -> Route {
    Route::new().at("/", make_sync(move |_| respond()))
}

/// The allocations of the second request.
fn allocations(app: impl Endpoint) -> u64 {
    let request = || Request::builder().uri_str("/").finish();
    drop(block_on(app.get_response(request())));
    let second = request();
    measure(|| drop(block_on(app.get_response(second)))).count_total
}

fn added<R: IntoResponse + Sync + 'static>(respond: fn() -> R) -> u64 {
    let health = Health::builder().build().unwrap();
    let covered = app(respond).with(middleware(&health));
    let covered = allocations(covered);
    assert_eq!(health.active_requests(), 0);
    covered - allocations(app(respond))
}

#[test]
fn a_plain_response_is_covered_without_an_allocation() {
    assert_eq!(added(|| "application"), 0);
    assert_eq!(added(|| ()), 0);
    assert_eq!(added(|| "x".repeat(64 * 1024)), 0);
}

#[test]
fn a_stream_is_covered_with_one_allocation() {
    assert_eq!(added(|| Body::from_async_read(tokio::io::empty())), 1);
}
