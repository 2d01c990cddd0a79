//! Plain responses of the core, without a framework, as many as its only argument says.

use std::error::Error;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use health_core::{Health, HealthConfig, HealthResponse};

/// Without a disablefile and checks, a response has to wait for nothing.
fn main() -> Result<(), Box<dyn Error>> {
    let count: usize = std::env::args().nth(1).ok_or("how many?")?.parse()?;
    let config = HealthConfig::default().with_disablefile("");
    let health = Health::builder().config(config).build()?;
    let endpoint = health.at("/health").ok_or("every application has it")?;
    for _ in 0..count {
        let response = pin!(endpoint.respond(black_box("")));
        let Poll::Ready(response) = response.poll(&mut Context::from_waker(Waker::noop())) else {
            return Err("a plain response had to wait".into());
        };
        response.headers().for_each(|header| drop(black_box(header)));
        black_box(parts(response));
    }
    Ok(())
}

fn parts(response: HealthResponse) -> impl Sized {
    (response.status(), response.reason(), response.into_body())
}
