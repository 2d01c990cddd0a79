//! What is read of certificates.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::pem::Pem;

/// How much of a name is shown.
const MAX_NAME_LEN: usize = 100;

/// Certificates of which each was issued by the next.
#[derive(Debug)]
pub(super) struct Chain(Vec<Certificate>);

/// Times are in seconds since 1970.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) name: String,
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    /// As encoded.
    subject: Vec<u8>,
    issuer: Vec<u8>,
}

impl Chain {
    /// Reads a file in PEM, in which everything but certificates is ignored, or one certificate in DER.
    pub(super) fn of_file(content: &[u8]) -> Result<Self, String> {
        let marker = b"-----BEGIN ";
        if !content.windows(marker.len()).any(|window| window == marker) {
            return Self::of_ders([content]);
        }
        let mut ders = Vec::new();
        for pem in Pem::iter_from_buffer(content) {
            let pem = pem.map_err(|_| "the PEM is damaged")?;
            if pem.label.ends_with("CERTIFICATE") {
                ders.push(pem.contents);
            }
        }
        Self::of_ders(ders.iter().map(Vec::as_slice))
    }

    /// Reads certificates in DER.
    pub(super) fn of_ders<'a>(ders: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, String> {
        let certificates =
            ders.into_iter().map(Certificate::read).collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() {
            return Err("there is no certificate".to_owned());
        }
        let pairs = certificates.iter().zip(certificates.iter().skip(1));
        for (certificate, next) in pairs {
            if certificate.issuer != next.subject {
                let (name, next) = (&certificate.name, &next.name);
                let what = format!("{next} follows {name}, but did not issue it");
                return Err(format!("the chain is out of order: {what}"));
            }
        }
        Ok(Self(certificates))
    }

    pub(super) fn certificates(&self) -> &[Certificate] {
        &self.0
    }
}

impl Certificate {
    fn read(der: &[u8]) -> Result<Self, String> {
        let (_, parsed) = parse_x509_certificate(der).map_err(|_| "this is no certificate")?;
        let validity = parsed.validity();
        Ok(Self {
            name: name(&parsed),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
            subject: parsed.subject().as_raw().to_vec(),
            issuer: parsed.issuer().as_raw().to_vec(),
        })
    }
}

/// The first host name of the certificate, or else its subject.
fn name(parsed: &X509Certificate<'_>) -> String {
    let alternatives = parsed.subject_alternative_name().ok().flatten();
    let names = alternatives.iter().flat_map(|names| &names.value.general_names);
    let host = names.filter_map(|name| match name {
        GeneralName::DNSName(host) => Some((*host).to_owned()),
        _ => None,
    });
    let name = host.into_iter().next().unwrap_or_else(|| parsed.subject().to_string());
    if name.is_empty() {
        return "a certificate without a name".to_owned();
    }
    name.chars().take(MAX_NAME_LEN).collect()
}

#[cfg(test)]
mod tests {
    use super::Chain;
    use crate::certificate::testing::Issued;

    #[test]
    fn a_chain_is_read_from_pem_with_a_key_and_text_around_it() {
        let root = Issued::root("root");
        let leaf = root.issue("shop.example", -1, 30);
        let content = format!(
            "subject=shop\n{}{}\n# the root\n{}",
            leaf.key_pem(),
            leaf.pem(),
            root.pem().replace('\n', "\r\n"),
        );
        let chain = Chain::of_file(content.as_bytes()).unwrap();
        let [first, second] = chain.certificates() else { panic!("{chain:?}") };
        assert_eq!(first.name, "shop.example");
        assert_eq!(second.name, "CN=root");
        assert_eq!(first.not_after - first.not_before, 31 * 86_400);
        assert!(Chain::of_file(leaf.der()).is_ok(), "one in DER");
    }

    #[test]
    fn a_chain_that_is_out_of_order_is_rejected() {
        let root = Issued::root("root");
        let leaf = root.issue("shop.example", -1, 30);
        let error = Chain::of_ders([root.der(), leaf.der()]).unwrap_err();
        assert!(error.contains("out of order: shop.example follows CN=root"), "{error}");
        assert!(Chain::of_ders([leaf.der(), leaf.der()]).is_err(), "twice the same");
        assert!(Chain::of_ders([root.der(), root.der()]).is_ok(), "it is its own issuer");
    }

    #[test]
    fn what_is_no_certificate_is_rejected_without_being_shown() {
        let root = Issued::root("root");
        let (der, pem) = (root.der(), root.pem());
        let cut_pem = &pem[..pem.len() / 2];
        let (key, swapped) = (root.key_pem(), pem.replace("CERTIFICATE", "PRIVATE KEY"));
        let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
        let odd = "-----BEGIN CERTIFICATE-----\nsecret!\n-----END CERTIFICATE-----\n";
        for content in [
            b"".as_slice(),
            b"secret",
            &[0; 100],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &der[..der.len() - 1],
            cut_pem.as_bytes(),
            key.as_bytes(),
            swapped.as_bytes(),
            empty.as_bytes(),
            odd.as_bytes(),
        ] {
            let error = Chain::of_file(content).unwrap_err();
            assert!(!error.contains("secret") && error.len() < 100, "{error}");
        }
        // Whatever byte is wrong, nothing panics.
        for index in 0..der.len() {
            for bit in 0..8 {
                let mut der = der.to_vec();
                der[index] ^= 1 << bit;
                let _: Result<_, _> = Chain::of_file(&der);
            }
        }
    }
}
