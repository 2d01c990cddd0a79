//! The certificate of a file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use health_core::{Check, CheckResult};

use super::chain::Chain;
use super::expiry::{Limits, failed};
use crate::Class;
use crate::failure::failure;

/// More is not read.
const MAX_LEN: u64 = 1 << 20;

/// The time until a certificate in a file expires: PEM with its chain, or DER. The first of the chain to expire counts. A
/// private key in the same file is ignored.
///
/// The other half is what the server has read: see [`certificate_of`](crate::certificate_of).
///
/// ```
/// let check = health_indicators::certificate_file("/etc/shop/tls/fullchain.pem").check("certificate");
/// ```
///
/// | | |
/// |---|---|
/// | class | shared, because hosts usually have the same certificate, and none of them recovers alone |
/// | timeout | that of the check; a file on a network file system can hang |
/// | reasons | `expired` (also if it is about to), `tls` (no certificate, out of order, not yet valid), `missing`, `unauthorized` (the file must be readable), `misconfigured` |
/// | values | `remaining` in seconds; negative after the expiry |
/// | does not prove | that the server uses the file, that the key belongs to it, or that a client trusts it |
pub fn certificate_file(path: impl Into<PathBuf>) -> CertificateFile {
    CertificateFile { path: path.into(), limits: Limits::default(), class: Class::Shared }
}

/// See [`certificate_file`].
#[derive(Debug)]
#[must_use = "an indicator does nothing until its check is registered"]
pub struct CertificateFile {
    path: PathBuf,
    limits: Limits,
    class: Class,
}

impl CertificateFile {
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

    /// What a failure means. Default: [`Class::Shared`].
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The check of this name. It runs on the threads for blocking code.
    pub fn check(self, name: impl Into<String>) -> Check {
        let class = self.class;
        class.apply(Check::blocking(name, move || self.result(SystemTime::now())))
    }

    fn result(&self, now: SystemTime) -> CheckResult {
        if let Some(mistake) = self.limits.mistake() {
            return mistake;
        }
        let path = self.path.display();
        match read(&self.path) {
            Ok(content) if content.len() as u64 > MAX_LEN => {
                failed(&format!("{path}: the file is too long to be a certificate"))
            }
            Ok(content) => match Chain::of_file(&content) {
                Ok(chain) => self.limits.result(&chain, now),
                Err(why) => failed(&format!("{path}: {why}")),
            },
            Err(error) => {
                let error = io::Error::new(error.kind(), format!("{path}: {error}"));
                failure(&error, |_| None)
            }
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_LEN + 1).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use health_core::Report;

    use super::{CertificateFile, certificate_file};
    use crate::certificate::testing::Issued;

    fn report(certificate: CertificateFile) -> Report {
        Report::of("certificate", certificate.result(SystemTime::now()))
    }

    #[test]
    fn a_file_is_read_at_each_test() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (path, root) = (file.path(), Issued::root("root"));
        let certificate = || certificate_file(path);
        std::fs::write(path, root.issue("shop.example", -10, -1).pem()).unwrap();
        assert_eq!(report(certificate()).reason(), Some("expired"));
        std::fs::write(path, root.issue("shop.example", -10, 90).pem()).unwrap();
        assert_eq!(report(certificate()).status().as_str(), "OK");
        assert_eq!(report(certificate().failing_before(Duration::MAX)).reason(), Some("expired"));
        let contradiction =
            certificate().failing_before(Duration::MAX).degraded_before(Duration::ZERO);
        assert_eq!(report(contradiction).reason(), Some("misconfigured"));
        std::fs::write(path, "no certificate").unwrap();
        let odd = report(certificate());
        assert_eq!(odd.reason(), Some("tls"));
        assert!(odd.message().unwrap().contains(path.to_str().unwrap()), "{odd:?}");
        file.close().unwrap();
    }

    #[test]
    fn a_file_that_is_missing_endless_or_a_directory_is_an_error() {
        for (path, reason) in
            [("/nowhere/at.all", "missing"), ("/", "failed"), ("", "missing"), ("/dev/zero", "tls")]
        {
            if cfg!(unix) || !Path::new(path).is_absolute() {
                assert_eq!(report(certificate_file(path)).reason(), Some(reason), "{path}");
            }
        }
    }
}
