//! The URL of a request.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An `http://` URL. No part contains a character that could end a line of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// Path and query, as in the request line.
    pub(crate) target: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    Name(String),
}

const SCHEME: &str = "http://";
const DEFAULT_PORT: u16 = 80;

impl Url {
    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// The rest of a sentence that begins with the URL.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("contains a character that must be percent-encoded");
        }
        if has_prefix(text, "https://") {
            return Err("requires TLS, which health-probe does not support: use an http:// URL");
        }
        if !has_prefix(text, SCHEME) {
            return Err("does not begin with http://");
        }
        let rest = text.get(SCHEME.len()..).unwrap_or_default();
        // A fragment is not sent.
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("contains a user name, which health-probe does not send");
        }
        let (host, port) = split_port(authority)?;
        Ok(Self {
            host: parse_host(host)?,
            port: parse_port(port)?,
            target: match target.strip_prefix('/') {
                Some(_) => target.to_owned(),
                None => format!("/{target}"),
            },
        })
    }
}

/// The value of the `Host` header.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Host::Address(address) => write!(f, "{address}")?,
            Host::Name(name) => f.write_str(name)?,
        }
        match self.port {
            DEFAULT_PORT => Ok(()),
            port => write!(f, ":{port}"),
        }
    }
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn split_port(authority: &str) -> Result<(&str, &str), &'static str> {
    let end = if authority.starts_with('[') {
        authority.find(']').ok_or("has a [ without its ]")? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(end);
    match (port, port.strip_prefix(':')) {
        ("", _) => Ok((host, "")),
        (_, Some(port)) => Ok((host, port)),
        _ => Err("has something other than a port after its ]"),
    }
}

fn parse_host(text: &str) -> Result<Host, &'static str> {
    if let Some(address) = text.strip_prefix('[') {
        let address = address.trim_end_matches(']').parse::<Ipv6Addr>();
        let address = address.map_err(|_| "has no IPv6 address in its brackets")?;
        return Ok(Host::Address(address.into()));
    }
    if let Ok(address) = text.parse() {
        return Ok(Host::Address(address));
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match text {
        "" => Err("has no host"),
        _ if text.bytes().all(is_name) => Ok(Host::Name(text.to_owned())),
        _ => Err("has a host that is neither a name nor an address"),
    }
}

fn parse_port(text: &str) -> Result<u16, &'static str> {
    // `parse` would take a sign.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Err(_) if text.is_empty() => Ok(DEFAULT_PORT),
        Ok(port) if is_number && port > 0 => Ok(port),
        _ => Err("has a port that is not between 1 and 65535"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Host header and request target.
    fn parts(text: &str) -> (String, String) {
        let url = Url::parse(text).unwrap_or_else(|mistake| panic!("{text} {mistake}"));
        (url.to_string(), url.target)
    }

    #[test]
    fn host_port_and_target_are_told_apart() {
        for (text, host, target) in [
            ("http://shop", "shop", "/"),
            ("HTTP://Shop.example_1/", "Shop.example_1", "/"),
            ("http://shop:80/health", "shop", "/health"),
            ("http://shop:/health", "shop", "/health"),
            ("http://shop:8080/a/b%20c", "shop:8080", "/a/b%20c"),
            ("http://shop/health?checks=all", "shop", "/health?checks=all"),
            ("http://shop?checks=all", "shop", "/?checks=all"),
            ("http://shop/?a=http://b/@:1", "shop", "/?a=http://b/@:1"),
            ("http://shop:1#/health", "shop:1", "/"),
            ("http://shop/a#b?c", "shop", "/a"),
            ("http://127.0.0.1:65535//", "127.0.0.1:65535", "//"),
            ("http://[::1]", "[::1]", "/"),
            ("http://[0:0::1]:8080/x", "[::1]:8080", "/x"),
        ] {
            assert_eq!(parts(text), (host.to_owned(), target.to_owned()), "{text}");
        }
    }

    #[test]
    fn literals_are_addresses_and_need_no_look_up() {
        for text in ["http://127.0.0.1", "http://[::1]:80/"] {
            let host = Url::parse(text).unwrap().host;
            assert!(matches!(host, Host::Address(_)), "{text}: {host:?}");
        }
        let host = Url::parse("http://localhost").unwrap().host;
        assert_eq!(host, Host::Name("localhost".to_owned()));
    }

    #[test]
    fn each_mistake_is_named() {
        for (text, named) in [
            ("", "does not begin with http://"),
            ("localhost:8080/health", "does not begin with http://"),
            ("http:/shop", "does not begin with http://"),
            ("https://shop", "TLS"),
            ("HTTPS://shop", "TLS"),
            ("http://", "no host"),
            ("http://:80", "no host"),
            ("http:///health", "no host"),
            ("http://user:word@shop/", "user name"),
            ("http://a b/", "percent-encoded"),
            ("http://a/\r\nX: y", "percent-encoded"),
            ("http://a/\u{e9}", "percent-encoded"),
            ("http://\u{1f600}", "percent-encoded"),
            ("http://a<b/", "neither a name nor an address"),
            ("http://a:0/", "port"),
            ("http://a:65536/", "port"),
            ("http://a:+80/", "port"),
            ("http://a:80:80/", "port"),
            ("http://::1/", "no host"),
            ("http://[::1/", "without its ]"),
            ("http://[::1]80/", "after its ]"),
            ("http://[]/", "IPv6"),
            ("http://[fe80::1%25eth0]/", "IPv6"),
            ("http://[127.0.0.1]/", "IPv6"),
        ] {
            let mistake = Url::parse(text).unwrap_err();
            assert!(mistake.contains(named), "{text}: {mistake}");
        }
    }
}
