//! Other services of this project, and their names.

use health_indicators::{Indicator as _, certificate_of, dns, http, tonic_0_14};

use super::OF_NETWORK;
use crate::case::Case::{Frozen, Gone, Restarted, Up};
use crate::row::{RETRY_DELAY, Row, Target};

pub(super) fn http_rows() -> Vec<Row> {
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

pub(super) fn grpc_rows() -> Vec<Row> {
    vec![Row::new("`tonic_0_14::connection`", &OF_NETWORK, |target| {
        let kept = tonic_0_14::connection(format!("http://{}", target.address()), "/live");
        kept.timeout(target.timeout).retry_delay(RETRY_DELAY).check("service")
    })]
}

pub(super) fn tls_rows() -> Vec<Row> {
    let row = Row::new("`certificate_of`", &OF_NETWORK, |target| {
        let certificate = certificate_of(target.address(), "localhost");
        certificate.timeout(target.timeout).check("certificate")
    });
    vec![row.connects_each_time().without_retry_delay()]
}

/// It has no connection that a proxy could break.
pub(super) fn names() -> Vec<Row> {
    let row = Row::new("`dns`", &[Up, Frozen, Restarted, Gone], |target| {
        // Without a name for the case, one that is there.
        let is_address = target.host.starts_with("127.");
        let host = if is_address { "present.test".to_owned() } else { target.host };
        dns(host).check("name").timeout(target.timeout)
    });
    vec![row.without_connections()]
}
