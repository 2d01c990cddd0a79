//! Object stores that speak the protocol of S3.

use std::sync::Arc;

use health_indicators::{Indicator as _, object_store_0_14};
use object_store::RetryConfig;
use object_store::aws::AmazonS3Builder;

use super::OF_NETWORK;
use crate::row::{Made, Row, Target};

/// What the server has, see `health_interop/indicators/others.py`.
const BUCKET: &str = "images";
const OBJECT: &str = "health/present";

pub(super) fn rows() -> Vec<Row> {
    let patient = RetryConfig::default();
    let hasty = RetryConfig { max_retries: 0, ..patient.clone() };
    vec![
        row("`object_store_0_14::object`", patient),
        row("`object_store_0_14::object`, no retries", hasty),
    ]
}

/// An indicator with the client of an application.
fn row(name: &'static str, retry: RetryConfig) -> Row {
    let row = Row::of(name, &OF_NETWORK, move |target: Target| {
        let store = AmazonS3Builder::new()
            .with_endpoint(format!("http://{}", target.address()))
            .with_allow_http(true)
            .with_bucket_name(BUCKET)
            .with_access_key_id("app")
            .with_secret_access_key(target.password)
            .with_retry(retry.clone())
            .build()?;
        let object = object_store_0_14::object(Arc::new(store), OBJECT).timeout(target.timeout);
        Ok(Made::new(object.check("images")))
    });
    // The server closes each.
    row.connects_each_time().without_retry_delay()
}
