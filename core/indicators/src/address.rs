//! Where a server listens: a host and a port.

use std::error::Error;
use std::{fmt, io};

use tokio::net::{TcpStream, lookup_host};

use crate::host::{is_ipv6, validate_host};
use crate::reason;

/// A host name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Without brackets.
    host: String,
    port: u16,
}

impl Address {
    /// Reads `host:port`, `192.0.2.1:port` or `[2001:db8::1]:port`. The error does not contain `text`, which may be
    /// anything, such as a URL with a password.
    pub(crate) fn parse(text: &str, default_port: Option<u16>) -> Result<Self, String> {
        let (host, port) = match text.strip_prefix('[') {
            Some(text) => {
                let (host, port) = text.split_once(']').ok_or("the address has no `]`")?;
                if !is_ipv6(host) {
                    return Err("the address in brackets is no IPv6 address".to_owned());
                }
                match port {
                    "" => (host, None),
                    _ => (host, Some(port.strip_prefix(':').ok_or("no `:` follows the `]`")?)),
                }
            }
            None if is_ipv6(text) => {
                return Err("an IPv6 address needs brackets, as in `[::1]:80`".to_owned());
            }
            None => match text.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        validate_host(host)?;
        let port = match port {
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port.parse().ok(),
            Some(_) => None,
            None => Some(default_port.ok_or("the port is missing, as in `db.example:5432`")?),
        };
        let port = port.filter(|port| *port != 0);
        let port = port.ok_or("the port is not a number from 1 to 65535")?;
        Ok(Self { host: host.to_owned(), port })
    }

    /// Resolves the host name on a thread for blocking code, and connects to its addresses one after the other.
    pub(crate) async fn connect(&self) -> Result<TcpStream, ConnectError> {
        let addresses = lookup_host((self.host.as_str(), self.port));
        let addresses = addresses.await.map_err(|error| self.error(What::Resolve, error))?;
        let mut last = self.error(What::Resolve, io::Error::other("it has no address"));
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = self.error(What::Connect, error),
            }
        }
        Err(last)
    }

    fn error(&self, what: What, error: io::Error) -> ConnectError {
        ConnectError { what, address: self.to_string(), error }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if is_ipv6(host) { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) struct ConnectError {
    what: What,
    address: String,
    error: io::Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Resolve,
    Connect,
}

impl ConnectError {
    /// The reason of an error of this type.
    pub(crate) fn reason(error: &(dyn Error + 'static)) -> Option<&'static str> {
        let is_name = error.downcast_ref::<Self>()?.what == What::Resolve;
        is_name.then_some(reason::NAME)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Resolve => write!(f, "the name of {} was not resolved", self.address),
            What::Connect => write!(f, "no connection to {}", self.address),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_of_every_kind_are_read() {
        for (text, shown) in [
            ("db.example:5432", "db.example:5432"),
            ("192.0.2.1:1", "192.0.2.1:1"),
            ("[::1]:65535", "[::1]:65535"),
            ("[fe80::1%eth0]:80", "[fe80::1%eth0]:80"),
            ("example.com", "example.com:80"),
            ("[::1]", "[::1]:80"),
        ] {
            assert_eq!(Address::parse(text, Some(80)).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_rejected_without_being_shown() {
        let long = format!("{}:80", "a".repeat(300));
        for text in [
            "",
            ":",
            ":80",
            "secret:",
            "secret:0",
            "secret:65536",
            "secret:+80",
            "secret:８０",
            "secret:http",
            "secret 1:80",
            "::1",
            "2001:db8::1:80",
            "[::1",
            "[::1]80",
            "[::1]:",
            "[secret]:80",
            "http://ann:secret@example.com/",
            &long,
        ] {
            let error = Address::parse(text, Some(80)).unwrap_err();
            assert!(!error.contains("secret") && !error.contains("aaa"), "{text}: {error}");
        }
        assert!(Address::parse("example.com", None).is_err());
        assert!(Address::parse(&format!("{}.:80", "a".repeat(253)), None).is_ok());
    }
}
