//! Certificates for tests.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd,
};

/// A certificate and its key.
pub(super) struct Issued {
    certificate: Certificate,
    params: CertificateParams,
    key: KeyPair,
}

impl Issued {
    /// An authority that is its own issuer, valid for decades.
    pub(super) fn root(name: &str) -> Self {
        let mut params = authority(name);
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2100, 1, 1);
        let key = KeyPair::generate().unwrap();
        Self { certificate: params.self_signed(&key).unwrap(), params, key }
    }

    /// A certificate for a host name, valid from and until so many days after today.
    pub(super) fn issue(&self, host: &str, from: i64, until: i64) -> Self {
        self.sign(CertificateParams::new([host.to_owned()]).unwrap(), from, until)
    }

    /// The certificate of another authority.
    pub(super) fn issue_authority(&self, name: &str, from: i64, until: i64) -> Self {
        self.sign(authority(name), from, until)
    }

    fn sign(&self, mut params: CertificateParams, from: i64, until: i64) -> Self {
        let now = std::time::SystemTime::now();
        let day = |days: i64| {
            let days_in_time = std::time::Duration::from_secs(days.unsigned_abs() * 86_400);
            if days < 0 { now - days_in_time } else { now + days_in_time }.into()
        };
        (params.not_before, params.not_after) = (day(from), day(until));
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Self { certificate, params, key }
    }

    pub(super) fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub(super) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    pub(super) fn key_der(&self) -> Vec<u8> {
        self.key.serialize_der()
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}
