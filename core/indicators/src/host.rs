//! Names of hosts, and addresses in their place.

use std::net::Ipv6Addr;

/// The longest name of the DNS, without the dot at its end (RFC 1035, section 2.3.4).
const MAX_NAME_LEN: usize = 253;

/// Why `host` cannot be resolved, whatever the name servers know. A name with other characters than those of host names
/// may be in the hosts file, so it is left to the resolver.
pub(crate) fn validate_host(host: &str) -> Result<(), String> {
    let len = host.trim_end_matches('.').chars().count();
    if len == 0 {
        return Err("the host name is empty".to_owned());
    }
    if len > MAX_NAME_LEN {
        return Err(format!("the host name has {len} characters, but at most {MAX_NAME_LEN} fit"));
    }
    if host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("the host name contains white space".to_owned());
    }
    if host.contains(['/', '@', '[', ']']) || (host.contains(':') && !is_ipv6(host)) {
        return Err("this is no host name or address, but more, such as a URL".to_owned());
    }
    Ok(())
}

/// Whether `host` is an IPv6 address, with or without a zone: `fe80::1%eth0`.
pub(crate) fn is_ipv6(host: &str) -> bool {
    let (address, _zone) = host.split_once('%').unwrap_or((host, ""));
    address.parse::<Ipv6Addr>().is_ok()
}
