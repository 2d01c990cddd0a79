//! What stays after many probes.

use health_conformance::testee::VirtualTime;
use health_core::{Health, HealthConfig, State};
use health_indicators::{Indicator as _, any_of};

use crate::server::Server;

#[test]
fn a_hundred_indicators_keep_nothing_of_a_probe() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let mut builder = Health::builder()
        .config(HealthConfig::default().with_disablefile(""))
        .runtime(time.clone());
    for at in 0..80 {
        builder = builder.register(server.indicator().check(format!("kept-{at}")));
    }
    for at in 0..20 {
        let group = any_of([("a", server.indicator()), ("b", server.indicator())]);
        builder = builder.register(group.check(format!("group-{at}")));
    }
    let health = builder.build().unwrap();
    let probe = |times| {
        for _ in 0..times {
            let response = time.block_on(health.respond("checks=all"));
            assert_eq!(response.state(), State::Ok);
            // Each test has left timers behind that are not due.
            time.pass(std::time::Duration::from_secs(3600));
        }
    };
    probe(10);
    let kept = allocation_counter::measure(|| probe(200));
    assert_eq!((kept.count_current, kept.bytes_current), (0, 0));
    assert_eq!((server.opened(), server.open()), (120, 120));
}
