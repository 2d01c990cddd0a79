//! Object stores that speak the protocol of S3.

use std::sync::Arc;

use health_indicators::{Indicator as _, Ping, object_store_0_14};
use object_store::aws::AmazonS3Builder;
use object_store::{ObjectStore, RetryConfig};

use super::{OF_LOGIN, OF_NETWORK};
use crate::Key;
use crate::case::Case;
use crate::row::{Made, Row, Target};

/// What the server has, see `health_interop/indicators/objects.py`.
const BUCKET: &str = "images";
const OBJECT: &str = "health/present";

pub(super) fn rows() -> Vec<Row> {
    let patient = RetryConfig::default();
    let hasty = RetryConfig { max_retries: 0, ..patient.clone() };
    let object = |store| object_store_0_14::object(store, OBJECT);
    let service = |store| object_store_0_14::service(store, "health/missing");
    vec![
        row("`object_store_0_14::object`", patient, object),
        row("`object_store_0_14::object`, no retries", hasty.clone(), object),
        row("`object_store_0_14::service`, no retries", hasty, service),
    ]
}

/// An indicator with the client of an application.
fn row(name: &'static str, retry: RetryConfig, ask: fn(Arc<dyn ObjectStore>) -> Ping) -> Row {
    // The server closes each connection after the response: none is idle.
    let of_network = OF_NETWORK.into_iter().filter(|case| *case != Case::HalfOpen);
    let cases: Vec<_> = of_network.chain(OF_LOGIN).collect();
    let row = Row::of(name, &cases, move |target: Target| {
        let address = target.address();
        let Key { id, secret } = target.key;
        // The server chooses the right one.
        let secret = if target.password == "wrong" { "wrong".to_owned() } else { secret };
        let store = AmazonS3Builder::new()
            .with_endpoint(format!("http://{address}"))
            .with_allow_http(true)
            .with_bucket_name(BUCKET)
            .with_access_key_id(id)
            .with_secret_access_key(secret)
            .with_retry(retry.clone())
            .build()?;
        Ok(Made::new(ask(Arc::new(store)).timeout(target.timeout).check("images")))
    });
    row.connects_each_time().without_retry_delay()
}
