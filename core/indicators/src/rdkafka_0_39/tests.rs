//! Brokers of the mock, and ones that are silent, refuse or close connections.

use std::io::{self, Read as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use ::rdkafka_0_39::mocking::MockCluster;
use ::rdkafka_0_39::types::RDKafkaRespErr;
use health_core::Report;

use super::*;

fn config(servers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers);
    config
}

fn report(topic: &Topic) -> Report {
    Report::of("kafka", topic.result())
}

fn reason(topic: &Topic) -> Option<String> {
    report(topic).reason().map(str::to_owned)
}

#[test]
fn a_topic_passes_until_its_brokers_are_down_and_again_when_they_are_back() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("orders", 3, 1).unwrap();
    let topic = topic(config(&cluster.bootstrap_servers()), "orders");
    let topic = topic.timeout(Duration::from_secs(10));
    for _ in 0..100 {
        let report = report(&topic);
        assert_eq!(report.reason(), None, "{report:?}");
        let values: Vec<_> = report.values().iter().map(|value| value.number()).collect();
        assert_eq!(values, [1.0, 3.0, 0.0]);
    }
    cluster.broker_down(1).unwrap();
    let topic = topic.timeout(Duration::from_secs(1));
    let down = reason(&topic).unwrap();
    let expected = ["closed", "refused", "unreachable", "timed_out"];
    assert!(expected.contains(&&*down), "{down}");
    cluster.broker_up(1).unwrap();
    let topic = topic.timeout(Duration::from_secs(10));
    assert_eq!(reason(&topic), None);
}

#[test]
fn errors_of_a_topic_have_reasons() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("orders", 2, 1).unwrap();
    let topic = topic(config(&cluster.bootstrap_servers()), "orders");
    let topic = topic.timeout(Duration::from_secs(10));
    for (error, expected) in [
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "missing"),
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "unauthorized"),
    ] {
        cluster.topic_error("orders", error).unwrap();
        assert_eq!(reason(&topic).as_deref(), Some(expected));
    }
}

#[test]
fn a_partition_without_a_leader_is_degraded_and_all_are_an_error() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("orders", 2, 1).unwrap();
    let topic = topic(config(&cluster.bootstrap_servers()), "orders");
    let topic = topic.timeout(Duration::from_secs(10));
    for (partition, status) in [(0, "DEGRADED"), (1, "ERROR")] {
        cluster.partition_leader("orders", partition, None).unwrap();
        let report = report(&topic);
        assert_eq!(report.status().as_str(), status, "{report:?}");
        assert_eq!(report.reason(), Some("leaderless"));
    }
}

#[test]
fn each_test_tells_whether_a_broker_is_silent_or_refuses_or_closes_connections() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closing = TcpListener::bind("127.0.0.1:0").unwrap();
    let accepting = closing.try_clone().unwrap();
    // After the request: the kernel resets a connection that is closed with unread bytes.
    thread::spawn(move || {
        for client in accepting.incoming() {
            let _length = client.unwrap().read(&mut [0; 4096]).unwrap();
        }
    });
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (server, expected) in [
        (silent.local_addr().unwrap(), "timed_out"),
        (refusing, "refused"),
        (closing.local_addr().unwrap(), "closed"),
    ] {
        let topic = topic(config(&server.to_string()), "orders");
        let topic = topic.timeout(Duration::from_millis(500));
        for _ in 0..4 {
            assert_eq!(reason(&topic).as_deref(), Some(expected));
        }
    }
}

/// Forwards to a broker, except the first connection, which is silent.
fn silent_at_first(broker: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let _silent = listener.accept().unwrap();
        for client in listener.incoming() {
            let ends = (client.unwrap(), TcpStream::connect(&broker).unwrap());
            let others = (ends.0.try_clone().unwrap(), ends.1.try_clone().unwrap());
            thread::spawn(move || io::copy(&mut &ends.0, &mut &ends.1));
            thread::spawn(move || io::copy(&mut &others.1, &mut &others.0));
        }
    });
    address
}

#[test]
fn a_silent_connection_is_given_up_before_librdkafka_would() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("orders", 1, 1).unwrap();
    let server = silent_at_first(cluster.bootstrap_servers());
    let topic = topic(config(&server), "orders").timeout(Duration::from_millis(500));
    assert_eq!(reason(&topic).as_deref(), Some("timed_out"));
    // For seven seconds at most: it would take ten.
    assert!((0..14).any(|_| reason(&topic).is_none()));
}

#[test]
fn timeouts_of_the_application_are_kept_and_others_have_limits() {
    let key = "socket.timeout.ms";
    for (timeout, expected) in
        [(Duration::ZERO, "10"), (Duration::from_secs(3), "3000"), (Duration::MAX, "300000")]
    {
        let topic = topic(config("127.0.0.1:1"), "orders").timeout(timeout);
        assert_eq!(topic.connecting().get(key), Some(expected));
        assert!(topic.connecting().create::<BaseConsumer>().is_ok(), "{timeout:?}");
    }
    let mut own = config("127.0.0.1:1");
    own.set(key, "60000");
    assert_eq!(topic(own, "orders").connecting().get(key), Some("60000"));
}

#[test]
fn a_configuration_that_is_rejected_shows_no_password() {
    for (key, value) in
        [("security.protocol", "secret"), ("nothing", "secret"), ("sasl.mechanism", "secret")]
    {
        let mut config = config("127.0.0.1:1");
        config.set(key, value).set("security.protocol", "secret");
        let report = report(&topic(config, "orders"));
        assert_eq!(report.reason(), Some("misconfigured"));
        assert!(!report.message().unwrap().contains("secret"), "{report:?}");
    }
    let report = report(&topic(config("127.0.0.1:1"), "a\0b"));
    assert_eq!(report.reason(), Some("misconfigured"), "{report:?}");
}
