//! The service, over connections: a client of the public proto and a real server.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod check;
mod client;
mod list;
mod log;
mod mounting;
mod probe;
mod served;
mod watch;
