//! Servers that are not there, never respond, or respond in another protocol: exit code 2.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use crate::Run;
use crate::server::{endless, hasty, read_request, responding, serve, without_listener};

#[test]
fn a_refused_connection_is_named_with_its_address() {
    let address = without_listener();
    Run::on(address, &[]).fails(&format!("{address}: Connection refused"));
}

#[test]
fn a_name_without_an_address_is_named() {
    // A label of a name has 63 characters at most: no resolver looks it up.
    let name = "x".repeat(64);
    let run = Run::of(["--timeout=60", &format!("http://{name}/")]);
    run.fails(&format!("{name}: "));
}

/// Longer than every timeout here. A command that ignores its timeout sees the server close the connection, and reports that.
const NEVER: Duration = Duration::from_secs(20);

#[test]
fn a_server_that_never_responds_times_out() {
    let mute = serve(|mut stream| {
        read_request(&mut stream);
        thread::sleep(NEVER);
    });
    Run::on(mute, &["--timeout", "0.05"]).fails("timed out after 50ms while ");

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let never_accepts = listener.local_addr().unwrap();
    thread::spawn(move || {
        thread::sleep(NEVER);
        drop(listener);
    });
    Run::on(never_accepts, &["--timeout=0.05"]).fails("timed out after 50ms while ");
}

#[test]
fn a_server_that_drips_its_response_does_not_get_more_time() {
    // A complete response, one byte at a time, each within the timeout: it takes NEVER.
    let drip = serve(|mut stream| {
        read_request(&mut stream);
        let response = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(376));
        for byte in response.bytes() {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(NEVER / 400);
        }
    });
    Run::on(drip, &["--timeout", "0.2"]).fails("timed out after 200ms while ");
}

#[test]
fn a_connection_that_closes_too_early_is_named() {
    let silent = "the server closed the connection without a response";
    Run::on(hasty(""), &[]).fails(silent);
    for half in [
        "H",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nOK",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        Run::on(responding(half), &[]).fails("the response is incomplete");
    }
}

#[test]
fn what_is_not_http_is_named() {
    for garbage in [
        &b"\x15\x03\x01\x00\x02\x02\x46"[..],
        b"220 mail ESMTP\r\n",
        b"HTTP/1.1 ok\r\n\r\n",
        b"\xff\xfe\x00",
        b"\n\n\n\n",
    ] {
        Run::on(responding(garbage), &[]).fails("not HTTP/1");
    }
    let length = "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nOK";
    Run::on(responding(length), &[]).fails("Content-Length");
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nOK";
    Run::on(responding(format!("{chunks}\r\n")), &[]).fails("chunks");
}

#[test]
fn what_never_ends_is_given_up() {
    let too_long = "the headers of the response are too long";
    let headers = endless("HTTP/1.1 200 OK\r\n", "X: y\r\n");
    Run::on(headers, &["--timeout=60"]).fails(too_long);
    let line = endless("HTTP/1.1 200 ", "OK");
    Run::on(line, &["--timeout=60"]).fails(too_long);
    let interim = endless("", "HTTP/1.1 102 Processing\r\n\r\n");
    Run::on(interim, &["--timeout=60"]).fails(too_long);
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;";
    Run::on(endless(chunk, "x=y;"), &["--timeout=60"]).fails("chunks");
}
