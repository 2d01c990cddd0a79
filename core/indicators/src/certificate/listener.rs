//! The certificate that a server uses.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use health_core::{CheckResult, Runtime};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsConnector;

use super::chain::Chain;
use super::expiry::{Limits, failed};
use crate::address::{Address, ConnectError};
use crate::failure::{as_io, misconfigured};
use crate::steps::Steps;
use crate::time::{Clock, DEFAULT_TIMEOUT};
use crate::{Class, Indicator, reason};

/// The time until the certificate expires that a server uses: it shakes hands with `address` as a client of `server_name`
/// does, and closes the connection. A server may have read its certificate before the file was renewed.
///
/// ```
/// use health_indicators::{Indicator as _, certificate_of};
///
/// let check = certificate_of("127.0.0.1:8443", "shop.example").check("certificate-in-use");
/// ```
///
/// The dates of the whole chain are tested, its order, and whether the certificate is for `server_name`. No trust is: the
/// certificate may be self-signed, and no byte of the application is sent.
///
/// The handshake needs cryptography, which the program chooses: call `CryptoProvider::install_default` of rustls 0.23 when it
/// starts. This crate enables none, because rustls chooses none by itself once a program has two.
///
/// | | |
/// |---|---|
/// | class | shared, because hosts usually have the same certificate, and none of them recovers alone |
/// | timeout | 2 seconds, for the name, the connection and the handshake together |
/// | connections | one per test, which is closed at its end: an [interval](health_core::Check::every) of an hour is enough |
/// | reasons | `expired` (also if it is about to), `tls` (also another name, out of order, not yet valid), `protocol` (no TLS), `name`, `refused`, `unreachable`, `timed_out`, `reset`, `closed`, `misconfigured` |
/// | values | `remaining` in seconds; negative after the expiry |
/// | cost to the server | a handshake per test; a server that requires a certificate of its clients logs an error |
/// | does not prove | that a client trusts the certificate, or that it was not revoked. Protocols that begin without TLS, such as SMTP's or PostgreSQL's, are not supported |
pub fn certificate_of(
    address: impl AsRef<str>,
    server_name: impl Into<String>,
) -> ListenerCertificate {
    let server_name = ServerName::try_from(server_name.into());
    ListenerCertificate {
        address: Address::parse(address.as_ref(), Some(443)),
        server_name: server_name
            .map_err(|_| "the server name is no host name or address".to_owned()),
        limits: Limits::default(),
        timeout: DEFAULT_TIMEOUT,
        class: Class::Shared,
        clock: Clock::default(),
    }
}

/// See [`certificate_of`].
#[must_use = "an indicator does nothing until its check is registered"]
pub struct ListenerCertificate {
    address: Result<Address, String>,
    server_name: Result<ServerName<'static>, String>,
    limits: Limits,
    timeout: Duration,
    class: Class,
    clock: Clock,
}

impl ListenerCertificate {
    /// A certificate that expires within `time` is degraded. Default: 14 days. A certificate that is valid for days only
    /// needs less.
    pub fn degraded_before(mut self, time: Duration) -> Self {
        self.limits.degraded_before = Some(time);
        self
    }

    /// A certificate that expires within `time` is an error. Default: zero, so that only an expired one is.
    pub fn failing_before(mut self, time: Duration) -> Self {
        self.limits.failing_before = time;
        self
    }

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

    /// The clock and timers. Default: [`ThreadRuntime`](health_core::ThreadRuntime).
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.clock = Clock::of(runtime);
        self
    }

    async fn tested(&self) -> Result<CheckResult, CheckResult> {
        let address = self.address.as_ref().map_err(misconfigured)?;
        let server_name = self.server_name.as_ref().map_err(misconfigured)?;
        if let Some(mistake) = self.limits.mistake() {
            return Err(mistake);
        }
        let recorder = Arc::new(Recorder::new()?);
        let config = recorder.clone().config().map_err(|error| failed(&error.to_string()))?;
        let connector = TlsConnector::from(Arc::new(config));

        let steps = Steps::new(&self.clock, self.timeout, classify);
        let stream = steps.step(&format!("no connection to {address}"), address.connect()).await?;
        let shaken = connector.connect(server_name.clone(), stream);
        let shaken = steps.step("no handshake of TLS", shaken).await;
        let ders = recorder.ders();
        let [leaf, ..] = ders.as_slice() else {
            return shaken.and(Err(failed("the server has no certificate")));
        };
        if let Ok(mut stream) = shaken {
            // Whether the server hears the goodbye does not matter. Nor does a handshake that fails after the certificate
            // came, as that of a server that requires one of its clients.
            let _: Result<(), CheckResult> = steps.step("no goodbye", stream.shutdown()).await;
        }
        ParsedCertificate::try_from(leaf)
            .and_then(|leaf| verify_server_name(&leaf, server_name))
            .map_err(|error| failed(&error.to_string()))?;
        let chain = Chain::of_ders(ders.iter().map(|der| &**der)).map_err(|why| failed(&why))?;
        Ok(self.limits.result(&chain, SystemTime::now()))
    }
}

#[async_trait]
impl Indicator for ListenerCertificate {
    async fn test(&self) -> CheckResult {
        self.tested().await.unwrap_or_else(|failure| failure)
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn class(&self) -> Class {
        self.class
    }
}

impl fmt::Debug for ListenerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerCertificate")
            .field("address", &self.address)
            .field("server_name", &self.server_name)
            .field("limits", &self.limits)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Accepts every certificate, and remembers them. It is used for one handshake, after which nothing is sent.
#[derive(Debug)]
struct Recorder {
    provider: Arc<CryptoProvider>,
    ders: Mutex<Vec<CertificateDer<'static>>>,
}

impl Recorder {
    fn new() -> Result<Self, CheckResult> {
        let provider = CryptoProvider::get_default().ok_or_else(|| {
            misconfigured(
                "rustls has no cryptography: call `CryptoProvider::install_default` first",
            )
        })?;
        Ok(Self { provider: provider.clone(), ders: Mutex::default() })
    }

    fn config(self: Arc<Self>) -> Result<ClientConfig, rustls::Error> {
        let builder = ClientConfig::builder_with_provider(self.provider.clone());
        let mut config = builder
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(self)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    fn ders(&self) -> Vec<CertificateDer<'static>> {
        std::mem::take(&mut *self.ders.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let ders = [leaf].into_iter().chain(others).map(|der| der.clone().into_owned());
        *self.ders.lock().unwrap_or_else(PoisonError::into_inner) = ders.collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The reason of an error of rustls, or of connecting.
fn classify(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let inner = as_io(error).and_then(|error| error.get_ref());
    match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidMessage(_)) => Some(reason::PROTOCOL),
        Some(_) => Some(reason::TLS),
        None => ConnectError::reason(error),
    }
}
