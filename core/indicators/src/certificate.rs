//! The expiry of certificates.

mod chain;
mod expiry;
mod file;
mod listener;
#[cfg(test)]
mod testing;

pub use self::file::{CertificateFile, certificate_file};
pub use self::listener::{ListenerCertificate, certificate_of};
