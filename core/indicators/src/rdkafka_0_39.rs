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
/// | reasons | `unreachable`, `refused`, `closed`, `timed_out`, `unauthorized`, `name`, `tls`, `missing` (the topic), `leaderless` (degraded as long as a partition has a leader), `misconfigured` |
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
            None => match self.config.create_with_context(Errors::default()) {
                Ok(consumer) => consumer,
                Err(error) => return rejected(&error),
            },
        };
        let fetched = consumer.fetch_metadata(Some(&self.topic), self.timeout);
        let events = drain(&consumer);
        let result = match fetched {
            Ok(metadata) => self.judge(&metadata),
            Err(KafkaError::Nul(_)) => misconfigured("the name of the topic contains a NUL"),
            Err(error) => failed(&error, events),
        };
        *self.consumer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Owned::new(consumer));
        result
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

/// What `librdkafka` says about its connections. A request that fails does not tell why.
#[derive(Default)]
struct Errors(Mutex<Option<Event>>);

struct Event {
    code: Option<RDKafkaErrorCode>,
    text: String,
}

impl ClientContext for Errors {
    /// Nothing: the failure of the check is in the log.
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, text: &str) {
        let code = error.rdkafka_error_code();
        // That all of them are down says less than why one of them is.
        if code != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(Event { code, text: text.to_owned() });
        }
    }
}

impl ConsumerContext for Errors {}

/// How many events of `librdkafka` an execution reads: more than there are of one period, because they are read only here.
const MAX_EVENTS: usize = 1_000;

/// The last error among what `librdkafka` has to say.
fn drain(consumer: &BaseConsumer<Errors>) -> Option<Event> {
    for _ in 0..MAX_EVENTS {
        drop(consumer.poll(Duration::ZERO));
    }
    consumer.context().0.lock().unwrap_or_else(PoisonError::into_inner).take()
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

fn failed(error: &KafkaError, event: Option<Event>) -> CheckResult {
    let fallback = error.rdkafka_error_code();
    let (code, text) = match event {
        Some(Event { code, text }) => (code.or(fallback), format!("{error}: {text}")),
        None => (fallback, error.to_string()),
    };
    let found = match code.and_then(of_code) {
        // The code is the same for all of these.
        Some(reason::UNREACHABLE) if text.contains("Connection refused") => Some(reason::REFUSED),
        Some(reason::UNREACHABLE) if text.contains("isconnected") => Some(reason::CLOSED),
        found => found,
    };
    CheckResult::error(redact(&text)).reason(found.unwrap_or(reason::FAILED))
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
    fn a_broker_that_is_silent_times_out_and_one_that_refuses_is_refused() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for (server, expected) in [
            (silent.local_addr().unwrap(), &["timed_out", "unreachable"][..]),
            (refusing, &["refused"]),
        ] {
            let topic = topic(config(&server.to_string()), "orders");
            let found = reason(&topic.timeout(Duration::from_millis(500))).unwrap();
            assert!(expected.contains(&&*found), "{found}");
        }
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
