use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use health_core::Report;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

use super::{ListenerCertificate, certificate_of};
use crate::Indicator as _;
use crate::certificate::testing::Issued;
use crate::misbehaving::{hang, serve};

const LONG: Duration = Duration::from_secs(60);
const NAME: &str = "shop.example";

/// As a program does when it starts.
fn choose_cryptography() {
    let _: Result<_, _> = rustls::crypto::ring::default_provider().install_default();
}

fn used_by(address: SocketAddr) -> ListenerCertificate {
    choose_cryptography();
    certificate_of(address.to_string(), NAME).timeout(LONG)
}

async fn report(certificate: ListenerCertificate) -> Report {
    Report::of("certificate", certificate.test().await)
}

#[derive(Clone, Copy)]
struct Tls {
    version: &'static SupportedProtocolVersion,
    needs_client: bool,
}

const TLS_1_3: Tls = Tls { version: &rustls::version::TLS13, needs_client: false };
const TLS_1_2: Tls = Tls { version: &rustls::version::TLS12, needs_client: false };

/// A server with the first certificate, which sends all of them.
fn listener(tls: Tls, chain: &[&Issued]) -> SocketAddr {
    choose_cryptography();
    let ders: Vec<_> = chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    let builder = ServerConfig::builder_with_protocol_versions(&[tls.version]);
    let builder = if tls.needs_client {
        let mut roots = RootCertStore::empty();
        roots.add(ders[ders.len() - 1].clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::Pkcs8(chain[0].key_der().into());
    let config = Arc::new(builder.with_single_cert(ders, key).unwrap());
    serve(move |stream| {
        let connection = ServerConnection::new(config.clone()).unwrap();
        // Until the client says goodbye.
        let mut received = Vec::new();
        let _: Result<_, _> = StreamOwned::new(connection, stream).read_to_end(&mut received);
        assert!(received.is_empty(), "no byte of an application");
    })
}

#[tokio::test]
async fn the_certificate_in_use_is_read_by_every_version_of_tls() {
    let root = Issued::root("root");
    let leaf = root.issue(NAME, -1, 90);
    for tls in [TLS_1_3, TLS_1_2] {
        for needs_client in [false, true] {
            let address = listener(Tls { needs_client, ..tls }, &[&leaf, &root]);
            let report = report(used_by(address)).await;
            assert_eq!(report.status().as_str(), "OK", "{report:?}");
            assert!(report.values()[0].number() > 88.0 * 86_400.0, "{report:?}");
        }
    }
}

#[tokio::test]
async fn a_certificate_that_expires_soon_is_for_another_name_or_misplaced_is_not_fine() {
    let root = Issued::root("root");
    let cases = [
        (root.issue(NAME, -1, 5), "DEGRADED", "expired"),
        (root.issue(NAME, -9, -1), "ERROR", "expired"),
        (root.issue(NAME, 1, 90), "ERROR", "tls"),
        (root.issue("stock.example", -1, 90), "ERROR", "tls"),
    ];
    for (leaf, status, reason) in &cases {
        let report = report(used_by(listener(TLS_1_3, &[leaf]))).await;
        assert_eq!((report.status().as_str(), report.reason()), (*status, Some(*reason)));
    }
    let leaf = root.issue(NAME, -1, 90);
    let other = Issued::root("other");
    let report = report(used_by(listener(TLS_1_3, &[&leaf, &other, &root]))).await;
    assert!(report.message().unwrap().contains("out of order"), "{report:?}");
}

#[tokio::test]
async fn a_server_without_tls_speaks_another_protocol() {
    for bytes in [b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), b"220 mail\r\n", &[0; 100]] {
        let address = serve(move |mut stream| {
            stream.write_all(bytes).unwrap();
            hang(stream);
        });
        assert_eq!(report(used_by(address)).await.reason(), Some("protocol"), "{bytes:?}");
    }
    // One that waits for the end of a line.
    let silent = report(used_by(serve(hang)).timeout(Duration::from_millis(100))).await;
    assert_eq!(silent.reason(), Some("timed_out"));
    assert!(silent.message().unwrap().contains("handshake"), "{silent:?}");
    let closing = serve(|mut stream| {
        let _: Result<usize, _> = stream.read(&mut [0; 4096]);
    });
    let closed = report(used_by(closing)).await;
    assert!(matches!(closed.reason(), Some("closed" | "reset")), "{closed:?}");
    let alert = serve(|mut stream| {
        let _: Result<usize, _> = stream.read(&mut [0; 4096]);
        stream.write_all(b"\x15\x03\x03\0\x02\x02\x28").unwrap();
    });
    assert_eq!(report(used_by(alert)).await.reason(), Some("tls"));
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(report(used_by(refused)).await.reason(), Some("refused"));
}

#[tokio::test]
async fn http_to_a_server_with_tls_is_another_protocol() {
    let root = Issued::root("root");
    let address = listener(TLS_1_3, &[&root.issue(NAME, -1, 90)]);
    let plain = crate::tcp(address.to_string()).send("GET / HTTP/1.1\r\n\r\n").expect("HTTP/1.1 ");
    let plain = Report::of("plain", plain.timeout(LONG).test().await);
    assert!(matches!(plain.reason(), Some("protocol" | "closed" | "reset")), "{plain:?}");
}

#[tokio::test]
async fn bad_options_are_misconfigured_and_secrets_are_not_shown() {
    choose_cryptography();
    let long = "a".repeat(300);
    let contradicting = certificate_of("127.0.0.1:1", NAME).degraded_before(Duration::ZERO);
    for certificate in [
        certificate_of("", NAME),
        certificate_of("https://ann:secret@shop.example/", NAME),
        certificate_of(&long, NAME),
        certificate_of("127.0.0.1:1", ""),
        certificate_of("127.0.0.1:1", "secret shop"),
        certificate_of("127.0.0.1:1", &long),
        contradicting.failing_before(LONG),
    ] {
        assert!(!format!("{certificate:?}").contains("secret"));
        let report = report(certificate).await;
        assert_eq!(report.reason(), Some("misconfigured"), "{report:?}");
        assert!(!report.message().unwrap().contains("secret"), "{report:?}");
    }
}
