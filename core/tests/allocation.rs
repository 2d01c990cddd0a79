//! A response without checks makes no heap allocation.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::path::Path;

use allocation_counter::measure;
use futures::executor::block_on;
use health_core::{Health, HealthConfig};

fn health(disablefile: &Path) -> Health {
    Health::builder()
        .config(HealthConfig::default().with_disablefile(disablefile))
        .check("database", || async { Ok::<(), String>(()) })
        .build()
        .unwrap()
}

/// The allocations for one response, from the query to the headers.
fn allocations(health: &Health, query: &str) -> u64 {
    let measured = measure(|| {
        let answer = block_on(health.respond(query));
        std::hint::black_box((answer.status(), answer.reason(), answer.body()));
        answer.headers().for_each(|header| drop(std::hint::black_box(header)));
    });
    measured.count_total
}

#[test]
fn an_answer_without_checks_allocates_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("maintenance");
    let health = health(&path);
    // The executor of the test allocates at its first use.
    block_on(health.respond(""));

    for query in ["", "checks=no", "a=%20b&%63hecks=1&c=%ff+d", &"x=%41&".repeat(1024)] {
        assert_eq!(allocations(&health, query), 0, "healthy, query {query:?}");
    }
    fs::write(&path, "").unwrap();
    for query in ["", "checks=all"] {
        assert_eq!(allocations(&health, query), 0, "maintenance, query {query:?}");
    }
    fs::remove_file(&path).unwrap();
    assert_ne!(allocations(&health, "checks=all"), 0, "the counter counts");
}
