//! The command line itself, and output that nobody takes.

use std::process::Stdio;
use std::sync::mpsc;

use std::io::Write as _;

use crate::server::{read_request, serve};
use crate::{Run, command};

#[test]
fn help_and_version_are_printed() {
    let help = Run::of(["--help"]);
    assert_eq!((help.code, &*help.err), (Some(0), ""));
    for said in [
        "--maintenance-ok",
        "--timeout",
        "--unix-socket",
        "Exit code: 0",
    ] {
        assert!(help.out.contains(said), "{said}");
    }
    let version = format!("health-probe {}", env!("CARGO_PKG_VERSION"));
    Run::of(["--version"]).concluded(0, &version);
}

#[test]
fn a_mistake_in_the_arguments_says_what_to_do() {
    Run::of(["https://localhost/"]).could_not_ask("TLS, which health-probe does not speak");
    Run::of(["--follow"]).could_not_ask(r#"there is no option "--follow"; see --help"#);
    Run::of([""; 0]).could_not_ask("the URL is missing");
    Run::of(["http://a\r\nX: y/"]).could_not_ask("percent-encoded");
}

#[cfg(unix)]
#[test]
fn arguments_may_be_any_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    for bytes in [
        &b"\xff"[..],
        b"--\xff=\x1b",
        b"http://\xff/",
        b"--timeout=\xff",
    ] {
        Run::of([OsStr::from_bytes(bytes)]).could_not_ask(r"\xFF");
    }
}

#[test]
fn the_exit_code_is_the_same_when_nobody_reads_the_output() {
    let (closed, wait) = mpsc::channel();
    let address = serve(move |mut stream| {
        read_request(&mut stream);
        wait.recv().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 299 X\r\n\r\n");
    });
    for (options, code) in [(&[][..], 1), (&["--maintenance-ok"], 0)] {
        let mut child = command()
            .args(options)
            .arg(format!("http://{address}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        closed.send(()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_exit_code_is_the_same_when_the_disk_is_full() {
    let full = || std::fs::File::create("/dev/full").unwrap();
    let help = command().arg("--help").stdout(full()).status().unwrap();
    assert_eq!(help.code(), Some(0));
    let wrong = command().stderr(full()).status().unwrap();
    assert_eq!(wrong.code(), Some(2));
}
