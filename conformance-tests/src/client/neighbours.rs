//! Tests whether a health endpoint changes other paths of an application.

use std::net::SocketAddr;
use std::time::Duration;

use crate::client::{ExchangeError, Request, Response, exchange};

/// Requests to paths that an application may have near `/health`.
const REQUESTS: [&str; 22] = [
    "GET /",
    "HEAD /",
    "POST /",
    "OPTIONS /",
    "GET /?checks=all",
    "GET /orders",
    "POST /orders",
    "DELETE /orders",
    "GET /orders/",
    "GET /orders/7?checks=all",
    "GET /healthz",
    "GET /health/deep",
    "POST /health/deep",
    "OPTIONS /health/deep",
    "GET /health/",
    "POST /health/",
    "GET //health",
    "GET /Health",
    "GET /health/deep/er",
    "GET /missing",
    "POST /missing",
    "OPTIONS *",
];

/// Limit for a response.
const LIMIT: Duration = Duration::from_secs(5);

/// Sends requests to other paths of an application with a health endpoint at `/health` and of the same application without
/// it, and returns the differences between the responses.
///
/// The application should have routes at some of these: `/`, `/orders`, `/orders/{id}`,
/// `/health/deep`. The comparison ignores the `date` header and the order of headers.
///
/// # Errors
///
/// One of the two does not respond.
pub fn differences(with: SocketAddr, without: SocketAddr) -> Result<Vec<String>, ExchangeError> {
    let mut differences = Vec::new();
    let endpoint = ask(with, "GET /health")?;
    if !endpoint.ends_with("\"OK\"") {
        differences.push(format!("GET /health: {endpoint}, which is not a healthy endpoint"));
    }
    for line in REQUESTS {
        let (with, without) = (ask(with, line)?, ask(without, line)?);
        if with != without {
            differences.push(format!("{line}: {with} instead of {without}"));
        }
    }
    Ok(differences)
}

/// The response as text for the comparison.
fn ask(address: SocketAddr, line: &str) -> Result<String, ExchangeError> {
    let request = Request {
        is_head: line.starts_with("HEAD "),
        asks_to_close: true,
        bytes: format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").into(),
    };
    let Response { status, reason, mut headers, body } = exchange(address, &request, LIMIT)?;
    headers.retain(|(name, _)| name != "date");
    headers.sort();
    let body = body.escape_ascii();
    Ok(format!("{status} {reason} {headers:?} \"{body}\""))
}
