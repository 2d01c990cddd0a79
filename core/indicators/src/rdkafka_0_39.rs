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
mod tests;
