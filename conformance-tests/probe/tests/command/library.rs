//! The library, in the process of the application.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use health_probe::{Probe, ProbeError, Verdict};

use crate::server::{read_request, recording, responding, serve, without_listener};

const MAINTENANCE: &str = "HTTP/1.1 299 MAINTENANCE\r\n\r\nMAINTENANCE";
/// Far more than anything here takes.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_probe_returns_a_verdict() {
    let probe = Probe::new(&format!("http://{}/ready", responding(MAINTENANCE))).unwrap();
    let line = "299 MAINTENANCE (maintenance; healthy with --maintenance-ok)";
    assert_eq!(probe.send(), Ok(Verdict::Failing(line.to_owned())));
    let verdict = probe.maintenance_ok(true).send().unwrap();
    assert_eq!(verdict.to_string(), "healthy: 299 MAINTENANCE (maintenance)");
    assert!(verdict.is_healthy());
}

#[test]
fn an_error_is_a_sentence() {
    let error = Probe::new("https://shop/").unwrap_err();
    assert!(matches!(error, ProbeError::Url { .. }));
    assert!(error.to_string().starts_with("the URL \"https://shop/\" requires TLS"), "{error}");

    let address = without_listener();
    let error = Probe::new(&format!("http://{address}")).unwrap().send().unwrap_err();
    assert!(matches!(error, ProbeError::NoResponse { .. }));
    assert!(error.to_string().starts_with(&format!("no response: {address}: ")), "{error}");
}

#[test]
fn no_timeout_panics() {
    let address = responding(MAINTENANCE);
    let probe = Probe::new(&format!("http://{address}")).unwrap();
    assert!(probe.clone().timeout(Duration::MAX).send().is_ok());
    let error = probe.timeout(Duration::ZERO).send().unwrap_err();
    assert!(error.to_string().starts_with("no response: timed out after 0ns"), "{error}");
}

#[test]
fn the_command_line_of_another_program_has_the_same_exit_codes() {
    let (address, requests) = recording(MAINTENANCE);
    let url = format!("http://{address}/ready");
    assert_eq!(health_probe::run([&url]), ExitCode::from(1));
    assert_eq!(health_probe::run(["--maintenance-ok", &url]), ExitCode::SUCCESS);
    assert_eq!(health_probe::run([""; 0]), ExitCode::from(2));
    assert!(requests.recv().unwrap().starts_with("GET /ready "));
}

/// An application would collect one thread and one connection per probe of a server that hangs.
#[test]
fn the_connection_is_closed_soon_after_the_timeout() {
    let (tell, told) = mpsc::channel();
    let closed = tell.clone();
    let mute = serve(move |mut stream| {
        read_request(&mut stream);
        let _ = stream.read(&mut [0]);
        closed.send(()).unwrap();
    });
    // A line of a header that does not end.
    let drip = serve(move |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
        tell.send(()).unwrap();
    });
    for address in [mute, drip] {
        let probe = Probe::new(&format!("http://{address}")).unwrap();
        let error = probe.timeout(Duration::from_millis(200)).send().unwrap_err();
        assert!(error.to_string().contains("timed out after 200ms"), "{error}");
        told.recv_timeout(LONG).unwrap();
    }
}
