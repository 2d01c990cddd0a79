use super::*;

/// A complete response, after which the connection is closed.
fn read(bytes: &[u8]) -> Result<(u16, String, String), Malformed> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let response = Response::read(bytes, true)?.unwrap();
    Ok((response.code, text(response.reason), text(response.body)))
}

fn response(code: u16, reason: &str, body: &str) -> Result<(u16, String, String), Malformed> {
    Ok((code, reason.to_owned(), body.to_owned()))
}

const LENGTH: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nOK";
const CHUNKED: &[u8] = b"HTTP/1.1 299 MAINTENANCE\r\nTransfer-Encoding: chunked\r\n\r\n\
    6\r\nMAINTE\r\n005;a=\"b\"\r\nNANCE\r\n0\r\nX-Trailer: y\r\n\r\n";
const CLOSE: &[u8] = b"HTTP/1.0 503 Service Unavailable\n\nERROR\n";
const INTERIM: &[u8] =
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n\
    HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK";

#[test]
fn bodies_end_by_length_by_chunks_and_by_close() {
    assert_eq!(read(LENGTH), response(200, "OK", "OK"));
    assert_eq!(read(CHUNKED), response(299, "MAINTENANCE", "MAINTENANCE"));
    assert_eq!(read(CLOSE), response(503, "Service Unavailable", "ERROR\n"));
    assert_eq!(read(INTERIM), response(200, "OK", "OK"));
}

#[test]
fn it_does_not_matter_in_which_pieces_a_response_comes() {
    for bytes in [LENGTH, CHUNKED, INTERIM] {
        let whole = Response::read(bytes, true).unwrap();
        let mut is_there = false;
        for end in 0..=bytes.len() {
            let read = Response::read(&bytes[..end], false).unwrap();
            assert!(read.is_some() || !is_there, "byte {end} took it back");
            is_there = read.is_some();
            if is_there {
                assert_eq!(read, whole, "up to byte {end}");
            }
        }
        assert!(is_there, "it needs no close");
    }
    for end in 0..CLOSE.len() {
        assert_eq!(Response::read(&CLOSE[..end], false), Ok(None));
    }
}

#[test]
fn what_ends_too_early_is_cut_off() {
    assert_eq!(read(b""), Err(Malformed::Silent));
    for bytes in [LENGTH, INTERIM] {
        for end in 1..bytes.len() {
            assert_eq!(read(&bytes[..end]), Err(Malformed::CutOff), "byte {end}");
        }
    }
    let last_chunk = CHUNKED.len() - b"\r\nX-Trailer: y\r\n\r\n".len();
    for end in 1..last_chunk {
        assert_eq!(read(&CHUNKED[..end]), Err(Malformed::CutOff), "byte {end}");
    }
}

#[test]
fn a_reason_may_be_missing_or_odd() {
    for (line, reason) in [
        ("HTTP/1.1 299", ""),
        ("HTTP/1.1 299 ", ""),
        ("HTTP/1.0 299 in  maintenance ", "in  maintenance"),
        ("HTTP/1.9 299 a: b", "a: b"),
    ] {
        let bytes = format!("{line}\r\n\r\n");
        assert_eq!(read(bytes.as_bytes()), response(299, reason, ""), "{line}");
    }
}

#[test]
fn a_response_without_a_body_is_not_waited_for() {
    for code in [101, 204, 304] {
        let bytes = format!("HTTP/1.1 {code} X\r\nContent-Length: 9\r\n\r\n");
        let read = Response::read(bytes.as_bytes(), false).unwrap().unwrap();
        assert_eq!((read.code, read.body), (code, Vec::new()));
    }
}

#[test]
fn of_a_long_body_only_the_beginning_is_read() {
    let long = "x".repeat(WORD_LIMIT + 1);
    for bytes in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n{long}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n{long}"),
        format!("HTTP/1.1 200 OK\r\n\r\n{long}"),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{long}"
        ),
    ] {
        let read = Response::read(bytes.as_bytes(), false).unwrap();
        let body = read.map(|read| read.body);
        assert_eq!(body.as_deref(), Some(long.as_bytes()), "{bytes}");
    }
}

#[test]
fn chunks_come_before_a_length_and_other_encodings_end_with_the_connection() {
    let read_with = |headers: &str, body: &str| {
        read(format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{body}").as_bytes())
    };
    let both = "Content-Length: 1\r\nTransfer-Encoding: chunked";
    assert_eq!(read_with(both, "2\r\nOK\r\n0\r\n"), response(200, "OK", "OK"));
    let listed = "transfer-encoding: gzip, Chunked";
    assert_eq!(read_with(listed, "2\nOK\n0\n"), response(200, "OK", "OK"));
    let other = "Content-Length: 1\r\nTransfer-Encoding: gzip";
    assert_eq!(read_with(other, "OK"), response(200, "OK", "OK"));
    let twice = "Content-Length: 2\r\nContent-Length: 2";
    assert_eq!(read_with(twice, "OK"), response(200, "OK", "OK"));
    let no_header = "no colon\r\n: \r\n folded";
    assert_eq!(read_with(no_header, "OK"), response(200, "OK", "OK"));
}

#[test]
fn what_is_not_http_is_found_at_its_first_bytes() {
    for bytes in [
        &b"\x15\x03\x01\x00\x02\x02\x46"[..],
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"\x00",
    ] {
        assert_eq!(Response::read(bytes, false), Err(Malformed::NotHttp), "{bytes:?}");
    }
    for line in [
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 20",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 099 X",
        "HTTP/1.1 +20 X",
        "HTTP/1.1  200 OK",
        "HTTP/1.x 200 OK",
        "HTTP/1.11 200 OK",
    ] {
        let bytes = format!("{line}\r\n\r\n");
        assert_eq!(read(bytes.as_bytes()), Err(Malformed::NotHttp), "{line}");
    }
}

#[test]
fn lengths_and_chunks_that_are_none_are_refused() {
    for length in ["", "-1", "+1", "2, 2", "0x2", "two", "2\r\nContent-Length: 3"] {
        let bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nOK");
        assert_eq!(read(bytes.as_bytes()), Err(Malformed::Length), "{length}");
    }
    for chunks in ["OK\r\n", "\r\n", "-2\r\nOK\r\n", "2\r\nOKOK\r\n", "2\r\nOK\rx"] {
        let bytes = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        assert_eq!(read(bytes.as_bytes()), Err(Malformed::Chunks), "{chunks}");
    }
}

#[test]
fn headers_and_chunks_that_do_not_end_are_given_up() {
    let line = format!("X: {}\r\n", "x".repeat(1020));
    let within = format!("HTTP/1.1 200 OK\r\n{}\r\n", line.repeat(15));
    assert_eq!(read(within.as_bytes()), response(200, "OK", ""));
    let status = format!("HTTP/1.1 200 {}", "x".repeat(HEAD_LIMIT));
    let headers = format!("HTTP/1.1 200 OK\r\n{}", line.repeat(16));
    let ended = format!("{headers}\r\n");
    let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(HEAD_LIMIT / 27 + 1);
    for bytes in [status, headers, ended, interim] {
        let read = Response::read(bytes.as_bytes(), false);
        assert_eq!(read, Err(Malformed::HeadTooLong), "{} bytes", bytes.len());
    }
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let bomb = format!("{chunked}1;{}", "x".repeat(CHUNKS_LIMIT));
    assert_eq!(Response::read(bomb.as_bytes(), false), Err(Malformed::Chunks));
}

#[test]
fn no_byte_in_the_wrong_place_is_a_panic() {
    for bytes in [LENGTH, CHUNKED, CLOSE, INTERIM] {
        for at in 0..bytes.len() {
            for byte in *b"\0\r\n \t:;,-9f\xff" {
                let mut bytes = bytes.to_vec();
                bytes[at] = byte;
                let _ = Response::read(&bytes, false);
                let _ = Response::read(&bytes, true);
            }
        }
    }
}
