//! A process in which nothing has chosen the cryptography of rustls, as no unit test can be.

#![cfg(feature = "certificate")]

use health_core::Report;
use health_indicators::{Indicator as _, certificate_of};

#[tokio::test]
async fn a_handshake_without_cryptography_is_misconfigured() {
    let result = certificate_of("127.0.0.1:1", "shop.example").test().await;
    let report = Report::of("certificate", result);
    assert_eq!(report.reason(), Some("misconfigured"));
    assert!(report.message().unwrap().contains("`CryptoProvider::install_default`"), "{report:?}");
}
