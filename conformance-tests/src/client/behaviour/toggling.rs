//! An operator toggles the disablefile while pollers send requests.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::client::{self, ExchangeError, Request, Response};
use crate::scenario::Answer;
use crate::scenario::marker::Marker;

/// Number of pollers.
const POLLERS: usize = 3;

/// Creates and removes the disablefile, with a request after each change: the response must be that of the new
/// state. What the others get may be of either.
///
/// # Errors
///
/// A request got no response.
pub(super) fn exchange(
    address: SocketAddr,
    request: &Request,
    times: usize,
    disablefile: Option<&Path>,
    limit: Duration,
) -> Result<Vec<(Answer, Response)>, ExchangeError> {
    let is_over = AtomicBool::new(false);
    let ask = || client::exchange(address, request, limit);
    thread::scope(|scope| {
        let poll = || {
            let mut answered = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let response = ask()?;
                answered.push((which(&response), response));
            }
            Ok(answered)
        };
        let pollers: Vec<_> = (0..POLLERS).map(|_| scope.spawn(poll)).collect();
        let toggle = || {
            let mut answered = Vec::new();
            for turn in 0..times {
                let (marker, answer) = match turn % 2 {
                    0 => (Marker::File, Answer::Maintenance),
                    _ => (Marker::None, Answer::Ok),
                };
                place(marker, disablefile);
                answered.push((answer, ask()?));
            }
            place(Marker::None, disablefile);
            Ok(answered)
        };
        let toggled: Result<Vec<_>, ExchangeError> = toggle();
        is_over.store(true, Ordering::Relaxed);
        let mut answered = toggled?;
        for poller in pollers {
            let polled: Result<Vec<_>, ExchangeError> =
                poller.join().unwrap_or_else(|_| Ok(Vec::new()));
            answered.extend(polled?);
        }
        Ok(answered)
    })
}

/// The expected response for a status; the rest of the response must match.
fn which(response: &Response) -> Answer {
    match response.status {
        200 => Answer::Ok,
        _ => Answer::Maintenance,
    }
}

fn place(marker: Marker, disablefile: Option<&Path>) {
    let Some(path) = disablefile else { return };
    // If the disablefile cannot be created, the response differs.
    let _ = marker.place(path);
}
