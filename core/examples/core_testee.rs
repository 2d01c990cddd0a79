//! A testee for the conformance suite: the core, with the server of `custom_server.rs`.

#[path = "custom_server.rs"]
#[expect(dead_code, reason = "its main is a separate program")]
mod custom_server;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::thread;

use health_conformance::Server;
use health_conformance::testee::{self, Application};
use health_core::{Health, ThreadRuntime};

/// Serves until the process ends. The server cannot be stopped otherwise, and has no application.
pub(crate) fn serve(health: Health, _: Application) -> io::Result<Server> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    health.start_on(ThreadRuntime);
    thread::spawn(move || custom_server::serve(&listener, &health.into()));
    Ok(Server::new(address, || {}))
}

fn main() -> ExitCode {
    testee::main(serve)
}
