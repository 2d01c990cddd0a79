//! A server on the standard library with kept connections, which embeds the core.

mod http;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::thread;

use futures::executor::block_on;
use health_conformance::Server;
use health_conformance::testee::{self, Application};
use health_core::{Endpoints, Health, HealthRequest, ThreadRuntime, path_and_query};

use self::http::Request;

/// Serves until the process ends. It has no application.
pub(crate) fn serve(health: Health, _: Application) -> io::Result<Server> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    health.start_on(ThreadRuntime);
    let endpoints = Endpoints::from(health);
    thread::spawn(move || http::serve(&listener, move |request| answer(&endpoints, request)));
    Ok(Server::new(address, || {}))
}

fn answer(endpoints: &Endpoints, request: &Request) -> Vec<u8> {
    let connection = if request.keeps_connection() { "keep-alive" } else { "close" };
    let (path, query) = path_and_query(&request.target);
    let Some(endpoint) = endpoints.route(&request.method, path) else {
        let head = "HTTP/1.1 404 Not Found\r\nContent-Length: 0";
        return format!("{head}\r\nConnection: {connection}\r\n\r\n").into();
    };
    let asked = HealthRequest::new(query).headers(request.headers());
    let answer = block_on(endpoint.respond(asked));
    let (code, reason) = (answer.status().as_u16(), answer.reason());
    let mut bytes = format!("HTTP/1.1 {code} {reason}\r\nConnection: {connection}\r\n");
    for (name, value) in answer.headers() {
        bytes += &format!("{name}: {value}\r\n");
    }
    bytes += "\r\n";
    if request.method != "HEAD" {
        bytes += answer.body();
    }
    bytes.into()
}

fn main() -> ExitCode {
    testee::main(serve)
}
