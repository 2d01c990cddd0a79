//! RabbitMQ, NATS and Kafka.

use async_nats::ConnectOptions;
use health_indicators::{Indicator as _, async_nats_0_51, lapin_4, rdkafka_0_39};
use rdkafka::ClientConfig;

use super::{OF_LOGIN, OF_NETWORK};
use crate::case::Case::NoWrites;
use crate::row::{RETRY_DELAY, Row, Target};
use crate::serve::TOPIC;

pub(super) fn rabbitmq() -> Vec<Row> {
    let cases = [&OF_NETWORK[..], &OF_LOGIN, &[NoWrites]].concat();
    let uri = |target: &Target| format!("amqp://app:{}@{}/%2f", target.password, target.address());
    vec![
        Row::new("`lapin_4::connection`", &cases, move |target| {
            let kept = lapin_4::connection(uri(&target));
            kept.timeout(target.timeout).retry_delay(RETRY_DELAY).check("queue")
        }),
        Row::new("`lapin_4::publisher`", &cases, move |target| {
            let kept = lapin_4::publisher(uri(&target));
            kept.timeout(target.timeout).retry_delay(RETRY_DELAY).check("queue")
        }),
    ]
}

pub(super) fn nats() -> Vec<Row> {
    let cases = [&OF_NETWORK[..], &OF_LOGIN].concat();
    vec![Row::new("`async_nats_0_51::connection`", &cases, |target| {
        let (address, password) = (target.address(), target.password);
        let options =
            move || ConnectOptions::new().user_and_password("app".into(), password.into());
        let kept = async_nats_0_51::connection(address, options);
        kept.timeout(target.timeout).retry_delay(RETRY_DELAY).check("queue")
    })]
}

pub(super) fn kafka() -> Vec<Row> {
    let row = Row::new("`rdkafka_0_39::topic`", &OF_NETWORK, |target| {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", target.address());
        rdkafka_0_39::topic(config, TOPIC).timeout(target.timeout).check("queue")
    });
    vec![row.of_kafka()]
}
