//! What counts as an active request (H26).

use health_core::Health;

#[test]
fn a_request_is_active_until_its_guard_is_dropped() {
    let health = Health::builder().build().unwrap();
    let first = health.track();
    let second = first.clone();
    assert_eq!(health.active_requests(), 2);
    drop(first);
    assert_eq!(health.active_requests(), 1);
    drop(second);
    assert_eq!(health.active_requests(), 0);
}

#[test]
fn a_request_whose_guard_is_detached_is_active_until_the_guard_of_another_place_is_dropped() {
    let health = Health::builder().build().unwrap();
    health.track().detach();
    assert_eq!(health.active_requests(), 1);
    let active = health.reattach();
    assert_eq!(health.active_requests(), 1);
    drop(active);
    assert_eq!(health.active_requests(), 0);
}
