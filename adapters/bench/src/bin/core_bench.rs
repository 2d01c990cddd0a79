//! Plain responses of the core, without a framework, as many as its only argument says.

use std::error::Error;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use health_core::{Endpoint, Health, HealthConfig};

/// The responses wait for nothing: the thread of the disablefile is needed only if a stat is slow.
fn main() -> Result<(), Box<dyn Error>> {
    let count: usize = std::env::args().nth(1).ok_or("how many?")?.parse()?;
    let health = Health::builder()
        .config(HealthConfig::default().with_disablefile(""))
        .endpoint(Endpoint::liveness("/live"))
        .build()?;
    let live = health.at("/live").ok_or("it was added")?;
    for _ in 0..count {
        let response = pin!(live.respond(black_box("")));
        let Poll::Ready(response) = response.poll(&mut Context::from_waker(Waker::noop())) else {
            return Err("a plain response had to wait".into());
        };
        black_box(response.headers().for_each(|header| drop(black_box(header))));
        black_box(http_parts(response));
    }
    Ok(())
}

fn http_parts(response: health_core::HealthResponse) -> impl Sized {
    (response.status(), response.reason(), response.into_body())
}
