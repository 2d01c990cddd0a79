//! What combinators do, in virtual time.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[cfg(unix)]
mod fork;
mod group;
mod kept;
mod ping;
mod server;
mod steady;
