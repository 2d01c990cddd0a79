//! Another service of this project, by HTTP.

use health_indicators::{Indicator as _, http};

use super::OF_NETWORK;
use crate::row::{RETRY_DELAY, Row, Target};

pub(super) fn rows() -> Vec<Row> {
    let live = |target: &Target| {
        let http = http(format!("http://{}/live", target.address()));
        http.timeout(target.timeout).retry_delay(RETRY_DELAY)
    };
    let fresh = Row::new("`http`, fresh connections", &OF_NETWORK, move |target| {
        live(&target).fresh_connections().check("service")
    });
    vec![
        Row::new("`http`", &OF_NETWORK, move |target| live(&target).check("service")),
        fresh.connects_each_time(),
    ]
}
