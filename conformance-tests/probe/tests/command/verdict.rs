//! Answers, good and bad, that are understood: exit codes 0 and 1.

use std::io::Write as _;
use std::net::{Ipv6Addr, TcpListener};

use crate::Run;
use crate::server::{endless, hasty, read_request, recording, responding, serve, serve_on};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";

#[test]
fn a_200_is_healthy() {
    Run::on(responding(OK), &[]).concluded(0, "healthy: 200 OK");
}

#[test]
fn any_other_response_is_failing() {
    let error = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nERROR";
    Run::on(responding(error), &[]).concluded(1, "failing: 503 ERROR");
    let empty = "HTTP/1.1 204 No Content\r\n\r\n";
    Run::on(responding(empty), &[]).concluded(1, "failing: 204 No Content");
    let missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    Run::on(responding(missing), &["--maintenance-ok"]).concluded(1, "failing: 404 Not Found");
    let upgrade = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    Run::on(responding(upgrade), &[]).concluded(1, "failing: 101 Switching Protocols");
}

#[test]
fn maintenance_is_failing_unless_it_is_ok() {
    for (response, seen) in [
        ("HTTP/1.1 299 MAINTENANCE\r\nContent-Length: 11\r\n\r\nMAINTENANCE", "299 MAINTENANCE"),
        ("HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n", "299"),
        ("HTTP/1.1 404 Not Found\r\n\r\nMAINTENANCE\n", "404 MAINTENANCE"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nMAINTENANCE", "200 MAINTENANCE"),
    ] {
        let address = responding(response);
        let failing = format!("failing: {seen} (maintenance; healthy with --maintenance-ok)");
        Run::on(address, &[]).concluded(1, &failing);
        let healthy = format!("healthy: {seen} (maintenance)");
        Run::on(address, &["--maintenance-ok"]).concluded(0, &healthy);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let (target, requests) = recording(OK);
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: http://{target}/\r\n\r\n");
    let line = "failing: 302 Found (a redirect, which is not followed)";
    Run::on(responding(redirect), &[]).concluded(1, line);
    assert!(requests.try_recv().is_err(), "the target got a request");
}

#[test]
fn responses_may_be_old_chunked_terse_or_preceded_by_others() {
    for response in [
        "HTTP/1.0 200 OK\r\n\r\nOK",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nO\r\n1\r\nK\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\nOK",
        "HTTP/1.1 200\nContent-Length: 2\n\nOK",
    ] {
        Run::on(responding(response), &[]).concluded(0, "healthy: 200 OK");
    }
    Run::on(responding("HTTP/1.1 200\r\n\r\n"), &[]).concluded(0, "healthy: 200");
}

#[test]
fn a_response_may_come_byte_by_byte_and_before_the_request_was_read() {
    let slow = serve(|mut stream| {
        stream.set_nodelay(true).unwrap();
        read_request(&mut stream);
        for byte in OK.bytes() {
            stream.write_all(&[byte]).unwrap();
        }
    });
    Run::on(slow, &[]).concluded(0, "healthy: 200 OK");
    Run::on(hasty(OK), &[]).concluded(0, "healthy: 200 OK");
}

#[test]
fn a_body_without_an_end_is_not_read_to_its_end() {
    let page = endless("HTTP/1.1 200 OK\r\n\r\n", "<p>This is a page.</p>\n");
    Run::on(page, &[]).concluded(0, "healthy: 200 OK");
    let chunks = "HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n";
    Run::on(endless(chunks, "4\r\npage\r\n"), &[]).concluded(1, "failing: 500 Oh");
}

#[test]
fn control_characters_of_a_server_are_not_printed() {
    let hostile = b"HTTP/1.1 500 \x1b]0;owned\x07\x9b\x00\r\r\nX: \x1b\r\n\r\n\x1b[2Jword";
    Run::on(responding(hostile), &[]).concluded(1, "failing: 500 ?]0;owned???");
}

#[test]
fn the_request_names_client_and_target_and_closes() {
    let (address, requests) = recording(OK);
    let version = env!("CARGO_PKG_VERSION");
    for (url, target) in [
        (format!("http://{address}"), "/"),
        (format!("http://{address}/health?checks=all#top"), "/health?checks=all"),
    ] {
        assert_eq!(Run::of([url]).code, Some(0));
        let expected = format!(
            "GET {target} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: health-probe/{version}\r\n\
             Accept: */*\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(requests.recv().unwrap(), expected);
    }
}

#[test]
fn every_address_of_a_name_is_tried() {
    // `localhost` may be ::1 first, where this server is not.
    let url = format!("http://localhost:{}/", responding(OK).port());
    Run::of([url]).concluded(0, "healthy: 200 OK");
}

#[test]
fn an_address_may_be_of_version_6() {
    // Not every machine has one.
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        return;
    };
    let address = serve_on(listener, |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(OK.as_bytes());
    });
    Run::on(address, &[]).concluded(0, "healthy: 200 OK");
}
