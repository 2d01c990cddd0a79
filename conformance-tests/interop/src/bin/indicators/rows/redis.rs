//! Redis, by `redis` 1.

use health_indicators::{Indicator as _, redis_1};

use super::{OF_LOGIN, OF_NETWORK};
use crate::case::Case;
use crate::row::{RETRY_DELAY, Row, Target};

pub(crate) fn rows() -> Vec<Row> {
    let cases = [&OF_NETWORK[..], &OF_LOGIN, &[Case::NoWrites]].concat();
    vec![
        Row::new("`redis_1::connection`", &cases, |target: Target| {
            let kept = redis_1::connection(url(&target));
            kept.timeout(target.timeout).retry_delay(RETRY_DELAY).check("redis")
        }),
        Row::new("`redis_1::writable`", &cases, |target: Target| {
            let kept = redis_1::writable(url(&target), "health");
            kept.timeout(target.timeout).retry_delay(RETRY_DELAY).check("redis")
        }),
    ]
}

fn url(target: &Target) -> String {
    format!("redis://app:{}@{}", target.password, target.address())
}
