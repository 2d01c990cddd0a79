//! The resolution of a host name.

use std::collections::BTreeSet;
use std::net::ToSocketAddrs as _;

use health_core::{Check, CheckResult, Unit};

use crate::failure::misconfigured;
use crate::host::validate_host;
use crate::{Class, reason};

/// Resolves a host name by the resolver of the system, as most programs do: with its hosts file and its search domains.
///
/// ```
/// let check = health_indicators::dns("db.example").check("name-of-database");
/// ```
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | that of the check; the resolver of the system may take longer and cannot be interrupted |
/// | connections | none that is kept: the resolver sends its queries from its own socket |
/// | reasons | `name`, `misconfigured` |
/// | values | `addresses`: how many different ones the name has |
/// | does not prove | that the name servers respond: a cached name, or one in the hosts file, asks none. Nor that anything listens at the addresses |
pub fn dns(host: impl Into<String>) -> Dns {
    Dns { host: host.into(), class: Class::Shared }
}

/// See [`dns`].
#[derive(Debug)]
#[must_use = "an indicator does nothing until its check is registered"]
pub struct Dns {
    host: String,
    class: Class,
}

impl Dns {
    /// What a failure means. Default: [`Class::Shared`].
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The check of this name. It runs on the threads for blocking code.
    pub fn check(self, name: impl Into<String>) -> Check {
        let class = self.class;
        class.apply(Check::blocking(name, move || self.result()))
    }

    fn result(&self) -> CheckResult {
        let host = self.host.as_str();
        if let Err(mistake) = validate_host(host) {
            return misconfigured(mistake);
        }
        let addresses = match (host, 0).to_socket_addrs() {
            Ok(addresses) => addresses.map(|address| address.ip()).collect::<BTreeSet<_>>(),
            Err(error) => {
                let text = format!("{host} was not resolved: {error}");
                return CheckResult::error(text).reason(reason::NAME);
            }
        };
        let result = if addresses.is_empty() {
            CheckResult::error(format!("{host} has no address")).reason(reason::NAME)
        } else {
            CheckResult::ok()
        };
        result.value("addresses", addresses.len() as f64, Unit::Count)
    }
}

#[cfg(test)]
mod tests {
    use health_core::Report;

    use super::dns;

    fn report(host: &str) -> Report {
        Report::of("name", dns(host).result())
    }

    #[test]
    fn a_name_and_a_literal_have_addresses() {
        for host in ["localhost", "127.0.0.1", "::1"] {
            let report = report(host);
            assert_eq!(report.status().as_str(), "OK", "{report:?}");
            assert!(report.values()[0].number() >= 1.0);
        }
    }

    #[test]
    fn a_name_that_does_not_exist_has_a_reason() {
        // Reserved by RFC 6761, and with a label that no name server is asked for.
        let report = report(&format!("{}.invalid", "a".repeat(64)));
        assert_eq!((report.status().as_str(), report.reason()), ("ERROR", Some("name")));
    }

    #[test]
    fn what_is_no_host_name_is_misconfigured_and_not_shown() {
        let long = "a".repeat(300);
        for host in ["", ".", "a b", "a\0b", "[::1]", "db:5432", "http://ann:secret@db/", &long] {
            let report = report(host);
            assert_eq!(report.reason(), Some("misconfigured"), "{host}");
            assert!(!report.message().unwrap().contains("secret"));
        }
    }
}
