//! Kafka, by `rdkafka` 0.39.
//!
//! A service that consumes needs a better check: that its loop makes progress. A broker that responds does not show that the
//! consumer is in its group, has partitions, or is not stuck at one message. Let the loop
//! [beat](health_core::Heartbeat::beat) after each poll, also after one without a message:
//!
//! ```
//! use std::time::Duration;
//!
//! use ::rdkafka_0_39::ClientConfig;
//! use health_core::{Check, Health, Heartbeat};
//! use health_indicators::rdkafka_0_39;
//!
//! let heartbeat = Heartbeat::new("orders loop", Duration::from_secs(60));
//! let mut config = ClientConfig::new();
//! config.set("bootstrap.servers", "kafka.example:9092");
//! let health = Health::builder()
//!     .register(Check::heartbeat(&heartbeat))
//!     .register(rdkafka_0_39::topic(config, "orders").check("kafka"))
//!     .build()?;
//! # Ok::<(), health_core::BuildError>(())
//! ```

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::rdkafka_0_39::client::ClientContext;
use ::rdkafka_0_39::config::{ClientConfig, RDKafkaLogLevel};
use ::rdkafka_0_39::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use ::rdkafka_0_39::error::{KafkaError, RDKafkaErrorCode};
use ::rdkafka_0_39::metadata::Metadata;
use health_core::{Check, CheckResult, Unit};

use crate::Class;
use crate::failure::{misconfigured, redact};
use crate::indicator::longer;
use crate::kept::Owned;
use crate::reason;
use crate::time::DEFAULT_TIMEOUT;

/// Asks a broker for the metadata of a topic, by its own consumer, which is in no group.
///
/// `config` tells how to connect. The topic is not created.
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds, which a broker that is down takes: `librdkafka` waits for another one |
/// | connections | one to each bootstrap server or broker that is asked, usually one, and a thread for each; opened by the first execution, and reopened by `librdkafka` |
/// | reasons | `unreachable`, `refused`, `reset`, `closed`, `timed_out`, `unauthorized`, `name`, `tls`, `missing` (the topic), `leaderless` (degraded as long as a partition has a leader), `misconfigured` |
/// | values | `brokers`, `partitions` and `leaderless` |
/// | permissions | to describe the topic |
/// | costs the server | a request for metadata |
/// | does not prove | that messages are consumed, or can be written. See [the module](self) |
pub fn topic(mut config: ClientConfig, topic: impl Into<String>) -> Topic {
    for (key, value) in [
        // By default, the next attempt after a failure may come 10 seconds later.
        ("reconnect.backoff.max.ms", "1000"),
        ("allow.auto.create.topics", "false"),
    ] {
        if config.get(key).is_none() {
            config.set(key, value);
        }
    }
    // It stays out of the application's group.
    config.remove("group.id");
    Topic {
        config,
        topic: topic.into(),
        class: Class::Shared,
        timeout: DEFAULT_TIMEOUT,
        consumer: Mutex::default(),
    }
}

/// See [`topic`].
#[must_use = "an indicator does nothing until its check is registered"]
pub struct Topic {
    config: ClientConfig,
    topic: String,
    class: Class,
    timeout: Duration,
    consumer: Mutex<Option<Owned<BaseConsumer<Errors>>>>,
}

impl Topic {
    /// The longest time that a test takes. Default: 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What a failure means. Default: [`Class::Shared`].
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The check of this name. It runs on the threads for blocking code, because `librdkafka` blocks its thread.
    pub fn check(self, name: impl Into<String>) -> Check {
        let (class, timeout) = (self.class, self.timeout);
        class.apply(Check::blocking(name, move || self.result())).timeout(longer(timeout))
    }

    fn result(&self) -> CheckResult {
        let kept = self.consumer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let consumer = match kept.and_then(Owned::take) {
            Some(consumer) => consumer,
            None => match self.connecting().create_with_context(Errors::default()) {
                Ok(consumer) => consumer,
                Err(error) => return rejected(&error),
            },
        };
        let fetched = consumer.fetch_metadata(Some(&self.topic), self.timeout);
        drain(&consumer);
        let mut event = consumer.context().0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match fetched {
            Ok(metadata) => {
                *event = None;
                self.judge(&metadata)
            }
            Err(KafkaError::Nul(_)) => misconfigured("the name of the topic contains a NUL"),
            Err(error) => failed(&error, event.as_ref()),
        };
        drop(event);
        *self.consumer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Owned::new(consumer));
        result
    }

    /// The configuration of the consumer. By default it would wait 10 seconds for a broker that accepts connections and is
    /// silent, and a minute for one that has become silent.
    fn connecting(&self) -> ClientConfig {
        let mut config = self.config.clone();
        // It logs nothing, see `Errors`.
        config.set_log_level(RDKafkaLogLevel::Info);
        for (key, least) in [
            ("socket.connection.setup.timeout.ms", 1_000),
            ("api.version.request.timeout.ms", 10),
            ("socket.timeout.ms", 10),
        ] {
            if config.get(key).is_none() {
                config.set(key, self.timeout.as_millis().clamp(least, 300_000).to_string());
            }
        }
        config
    }

    fn judge(&self, metadata: &Metadata) -> CheckResult {
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic);
        let Some(topic) = topic else {
            return CheckResult::error("the broker does not know the topic")
                .reason(reason::MISSING);
        };
        if let Some(error) = topic.error() {
            let code = RDKafkaErrorCode::from(error);
            return CheckResult::error(code).reason(of_code(code).unwrap_or(reason::FAILED));
        }
        let partitions = topic.partitions();
        let leaderless = partitions.iter().filter(|partition| partition.leader() < 0).count();
        let text = || format!("{leaderless} of {} partitions have no leader", partitions.len());
        let result = match leaderless {
            0 => CheckResult::ok(),
            all if all == partitions.len() => CheckResult::error(text()).reason(reason::LEADERLESS),
            _ => CheckResult::degraded(text()).reason(reason::LEADERLESS),
        };
        result
            .value("brokers", metadata.brokers().len() as f64, Unit::Count)
            .value("partitions", partitions.len() as f64, Unit::Count)
            .value("leaderless", leaderless as f64, Unit::Count)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic").field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// What `librdkafka` has said about its connections since the last test that passed. A request that fails does not tell
/// why, and the same error is told once in 30 seconds.
#[derive(Default)]
struct Errors(Mutex<Option<Event>>);

struct Event {
    code: Option<RDKafkaErrorCode>,
    text: String,
}

impl ClientContext for Errors {
    /// The end of a connection is only told here, and by no error. Nothing is logged: the failure of the check is.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        use RDKafkaLogLevel::{Info, Notice, Warning};

        if facility == "FAIL" && matches!(level, Info | Notice | Warning) {
            let code = Some(RDKafkaErrorCode::BrokerTransportFailure);
            self.set(Event { code, text: text.to_owned() });
        }
    }

    fn error(&self, error: KafkaError, text: &str) {
        let code = error.rdkafka_error_code();
        // That all of them are down says less than why one of them is.
        if code != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.set(Event { code, text: text.to_owned() });
        }
    }
}

impl Errors {
    fn set(&self, event: Event) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(event);
    }
}

impl ConsumerContext for Errors {}

/// How many events of `librdkafka` an execution reads: more than there are of one period, because they are read only here.
const MAX_EVENTS: usize = 1_000;

/// Lets `librdkafka` say what it has to say.
fn drain(consumer: &BaseConsumer<Errors>) {
    for _ in 0..MAX_EVENTS {
        drop(consumer.poll(Duration::ZERO));
    }
}

/// The result for a configuration that is rejected. The error contains the value, which may be a password.
fn rejected(error: &KafkaError) -> CheckResult {
    match error {
        KafkaError::ClientConfig(_, _, key, _) => {
            misconfigured(format_args!("the value of {key}, or the key itself, is not accepted"))
        }
        error => misconfigured(error),
    }
}

fn failed(error: &KafkaError, event: Option<&Event>) -> CheckResult {
    let own = error.rdkafka_error_code().and_then(of_code);
    let (reason, text) = match event {
        Some(Event { code, text }) => {
            let found = code.and_then(of_code).or(own);
            let found = found.filter(|found| *found != reason::UNREACHABLE);
            (found.or(Some(of_connection(text))), format!("{error}: {text}"))
        }
        // No broker was connected in time, and nothing is known of why.
        None if own == Some(reason::UNREACHABLE) => (Some(reason::TIMED_OUT), error.to_string()),
        None => (own, error.to_string()),
    };
    CheckResult::error(redact(&text)).reason(reason.unwrap_or(reason::FAILED))
}

/// What happened to a connection. The code is the same for all of these.
fn of_connection(text: &str) -> &'static str {
    let words = [
        ("Connection refused", reason::REFUSED),
        ("reset by peer", reason::RESET),
        ("isconnected", reason::CLOSED),
        ("imed out", reason::TIMED_OUT),
    ];
    let found = words.into_iter().find(|(words, _)| text.contains(words));
    found.map_or(reason::UNREACHABLE, |(_, reason)| reason)
}

fn of_code(code: RDKafkaErrorCode) -> Option<&'static str> {
    Some(match code {
        RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown => {
            reason::UNREACHABLE
        }
        RDKafkaErrorCode::OperationTimedOut | RDKafkaErrorCode::RequestTimedOut => {
            reason::TIMED_OUT
        }
        RDKafkaErrorCode::Authentication
        | RDKafkaErrorCode::SaslAuthenticationFailed
        | RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::ClusterAuthorizationFailed => reason::UNAUTHORIZED,
        RDKafkaErrorCode::Resolve => reason::NAME,
        RDKafkaErrorCode::SSL => reason::TLS,
        RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
            reason::MISSING
        }
        RDKafkaErrorCode::LeaderNotAvailable => reason::LEADERLESS,
        RDKafkaErrorCode::InvalidTopic => reason::MISCONFIGURED,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
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
}
