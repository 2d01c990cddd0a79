//! A response without checks makes no heap allocation, and a watch takes little memory.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::path::Path;

use allocation_counter::measure;
use futures::executor::block_on;
use futures::{FutureExt as _, StreamExt as _};
use health_core::{Health, HealthConfig, State};

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

/// `cargo test -p health-core --test allocation -- --nocapture watch` prints the figure.
#[test]
fn ten_thousand_watches_take_less_than_150_bytes_each() {
    const WATCHES: usize = 10_000;
    let health = health(Path::new(""));
    // The first watch makes what all share.
    let mut first = health.watch();
    assert_eq!(block_on(first.next()), Some(State::Ok));
    let mut watches = Vec::new();
    let measured = measure(|| {
        watches = (0..WATCHES).map(|_| health.watch()).collect();
        for watch in &mut watches {
            // The state, and then a wait for another.
            assert_eq!(watch.next().now_or_never(), Some(Some(State::Ok)));
            assert_eq!(watch.next().now_or_never(), None);
        }
    });
    let bytes = measured.bytes_current / WATCHES as i64;
    println!("{bytes} bytes for each of {WATCHES} watches");
    assert!((1..150).contains(&bytes), "{bytes}");
}

/// `cargo test -p health-core --test allocation --features details -- --nocapture history` prints the figure.
#[cfg(feature = "details")]
#[test]
fn the_full_history_of_100_checks_takes_less_than_a_megabyte() {
    use std::time::Duration;

    use health_conformance::testee::VirtualTime;
    use health_core::{Check, DetailLevel, Endpoint, Runtime as _};

    /// The bytes that an application holds after more runs than are remembered.
    fn held(level: DetailLevel) -> i64 {
        let time = VirtualTime::default();
        let mut health = None;
        let measured = measure(|| {
            let endpoint = Endpoint::readiness("/ready").details(level);
            let builder = Health::builder().runtime(time.clone()).endpoint(endpoint);
            let builder = (0..100).fold(builder, |builder, number| {
                let clock = time.clone();
                builder.register(Check::new(format!("check-{number}"), move || {
                    // Each run fails for some, so that the state changes.
                    let seconds = clock.system_time().elapsed().map_or(0, |time| time.as_secs());
                    let is_ok = number % 2 == 0 || seconds % 2 == 0;
                    async move { if is_ok { Ok(()) } else { Err("connection refused by 10.0.0.7") } }
                }))
            });
            let built = builder.build().unwrap();
            built.start_on(time.clone());
            for _ in 0..120 {
                let endpoint = built.at("/ready").unwrap();
                time.spawn(Box::pin(async move { drop(endpoint.respond("").await) }));
                time.pass(Duration::from_secs(1));
            }
            health = Some(built);
        });
        measured.bytes_current
    }

    let bytes = held(DetailLevel::States) - held(DetailLevel::None);
    println!("{bytes} bytes for the history of 100 checks");
    assert!((100 * 60..1_000_000).contains(&bytes), "{bytes}");
}
