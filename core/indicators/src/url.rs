//! URLs of servers that are asked without TLS.

use http::Uri;
use http::uri::Scheme;

use crate::address::Address;

/// Reads a URL such as `http://[::1]:8080/live`. The error does not contain it.
pub(crate) fn parse(url: &str) -> Result<(Address, Uri), String> {
    let uri: Uri = url.parse().map_err(|error| format!("the URL is invalid: {error}"))?;
    if uri.scheme() == Some(&Scheme::HTTPS) {
        return Err("https is not supported: use http, or a client with TLS".to_owned());
    }
    let is_http = uri.scheme() == Some(&Scheme::HTTP);
    let authority = uri.authority().filter(|_| is_http);
    let authority = authority.ok_or("the URL does not begin with `http://`")?.as_str();
    if authority.contains('@') {
        let text = "the URL contains a password or user, which a header `authorization` replaces";
        return Err(text.to_owned());
    }
    Ok((Address::parse(authority, Some(80))?, uri))
}
