//! The command line itself, and output that is not read.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::mpsc;

use crate::server::{read_request, serve};
use crate::{Run, command};

#[test]
fn help_and_version_are_printed() {
    let help = Run::of(["--help"]);
    assert_eq!((help.code, &*help.err), (Some(0), ""));
    for said in ["--maintenance-ok", "--timeout", "--unix-socket", "Exit code: 0"] {
        assert!(help.out.contains(said), "{said}");
    }
    let version = format!("health-probe {}", env!("CARGO_PKG_VERSION"));
    Run::of(["--version"]).concluded(0, &version);
}

#[test]
fn the_page_has_the_options_the_defaults_and_the_exit_codes_of_the_help() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/probe.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = |start: &str| -> Vec<Vec<String>> {
        let rows = page.lines().filter(|line| line.starts_with(start));
        rows.map(|row| row.split('|').map(|cell| cell.trim().replace('`', "")).collect()).collect()
    };
    let help = Run::of(["--help"]).out;
    let lines = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let said: Vec<_> = lines
        .map(|line| {
            let (option, text) = line.trim_start().split_once("  ").unwrap();
            let default = text.split_once("[default: ");
            let default = default.map_or("", |(_, rest)| rest.trim_end_matches(']'));
            [option.to_owned(), default.to_owned()]
        })
        .collect();
    let written: Vec<_> = rows("| `-").iter().map(|row| row[1..3].to_vec()).collect();
    assert_eq!(written, said);

    let (_, codes) = help.split_once("Exit code: ").unwrap();
    let codes = codes.replace('\n', " ");
    let rows = rows("| ").into_iter().filter(|row| row[1].len() == 1);
    let said: Vec<_> = rows.map(|row| format!("{} {} (", row[1], row[2])).collect();
    assert_eq!(said.len(), 3);
    for said in said {
        assert!(codes.contains(&said), "{said:?} is not in {codes:?}");
    }
}

#[test]
fn a_mistake_in_the_arguments_says_what_to_do() {
    Run::of(["https://localhost/"]).fails("TLS, which health-probe does not support");
    Run::of(["--follow"]).fails(r#"unknown option "--follow"; see --help"#);
    Run::of([""; 0]).fails("the URL is missing");
    Run::of(["http://a\r\nX: y/"]).fails("percent-encoded");
}

#[cfg(unix)]
#[test]
fn arguments_may_be_any_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    for bytes in [&b"\xff"[..], b"--\xff=\x1b", b"http://\xff/", b"--timeout=\xff"] {
        Run::of([OsStr::from_bytes(bytes)]).fails(r"\xFF");
    }
}

#[test]
fn the_exit_code_is_the_same_when_the_output_is_not_read() {
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
