//! Whether a health endpoint leaves an application's other paths alone.

use std::net::SocketAddr;
use std::time::Duration;

use crate::client::{ExchangeError, Request, Response, exchange};

/// How long one answer may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Sends each request, such as `"GET /orders"`, to an application with a health endpoint and to the
/// same application without, and returns the requests that are answered differently, with both answers.
///
/// The `date` header is left out of the comparison.
///
/// # Errors
///
/// One of the two does not answer.
pub fn differences(
    with: SocketAddr,
    without: SocketAddr,
    requests: &[&str],
) -> Result<Vec<String>, ExchangeError> {
    let mut differences = Vec::new();
    for line in requests {
        let (with, without) = (ask(with, line)?, ask(without, line)?);
        if with != without {
            differences.push(format!("{line}: {with:?} instead of {without:?}"));
        }
    }
    Ok(differences)
}

fn ask(address: SocketAddr, line: &str) -> Result<Response, ExchangeError> {
    let request = Request {
        is_head: line.starts_with("HEAD "),
        bytes: format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").into(),
    };
    let mut response = exchange(address, &request, LIMIT)?;
    response.headers.retain(|(name, _)| name != "date");
    Ok(response)
}
