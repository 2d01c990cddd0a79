//! The command line.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use crate::probe::{LONGEST_TIMEOUT, Probe};

pub(crate) const HELP: &str = "\
Send one request to a health endpoint, and exit with a code for the result. Or look at the age of a file.

Usage: health-probe [OPTIONS] URL
       health-probe --file PATH --max-age SECONDS

  URL   http://HOST[:PORT][/PATH][?QUERY], HOST a name, an IPv4 address or an IPv6 address in brackets

Options:
      --maintenance-ok    Treat maintenance as healthy: a 299, or the body MAINTENANCE with any code
      --timeout SECONDS   Limit for everything, from the name lookup to the last byte [default: 10]
      --unix-socket PATH  Connect to this Unix socket; HOST and PORT are only sent as Host
      --file PATH         Look at this file, which a worker without a server touches, and send no request
      --max-age SECONDS   Greatest age at which the file is healthy
  -h, --help              Print this help
  -V, --version           Print the version

Exit code: 0 healthy (200, or the file is new enough), 1 failing (any other response, or the file is old, missing or
not a regular file), 2 no response (no connection, no complete response in time, not HTTP, or invalid arguments).
";

/// A year.
const LONGEST_AGE: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Debug, PartialEq)]
pub(crate) enum Invocation {
    Help,
    Version,
    Probe(Probe),
    File { path: PathBuf, max_age: Duration },
}

/// Parses the arguments.
///
/// # Errors
///
/// A sentence for the user.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, String> {
    let mut arguments = arguments.into_iter();
    let mut url = None;
    let mut socket = None;
    let mut maintenance_ok = false;
    let mut timeout = None;
    let mut file = None;
    let mut max_age = None;
    let mut are_options_over = false;

    while let Some(argument) = arguments.next() {
        if are_options_over || !argument.as_encoded_bytes().starts_with(b"-") {
            if url.is_some() {
                return Err(format!("unexpected argument {argument:?}"));
            }
            url = Some(argument);
            continue;
        }
        let (name, attached) = split(&argument);
        let is_flag = attached.is_none();
        let mut value = || {
            let value = attached.clone().or_else(|| arguments.next());
            value.ok_or_else(|| format!("{argument:?} needs a value"))
        };
        match name {
            Some("--") if is_flag => are_options_over = true,
            Some("-h" | "--help") if is_flag => return Ok(Invocation::Help),
            Some("-V" | "--version") if is_flag => return Ok(Invocation::Version),
            Some("--maintenance-ok") if is_flag => maintenance_ok = true,
            Some("--timeout") => {
                timeout = Some(parse_seconds("--timeout", &value()?, LONGEST_TIMEOUT)?)
            }
            Some("--unix-socket") => socket = Some(parse_socket(value()?)?),
            Some("--file") => file = Some(parse_path("--file", value()?)?),
            Some("--max-age") => {
                max_age = Some(parse_seconds("--max-age", &value()?, LONGEST_AGE)?)
            }
            _ => return Err(format!("unknown option {argument:?}")),
        }
    }

    if let Some(path) = file {
        if url.is_some() || socket.is_some() || timeout.is_some() || maintenance_ok {
            return Err("--file is not for a request: it needs only --max-age".to_owned());
        }
        let max_age = max_age.ok_or("--file needs --max-age")?;
        return Ok(Invocation::File { path, max_age });
    }
    if max_age.is_some() {
        return Err("--max-age needs --file".to_owned());
    }
    let mut probe = parse_url(&url.ok_or("the URL is missing")?)?.maintenance_ok(maintenance_ok);
    if let Some(timeout) = timeout {
        probe = probe.timeout(timeout);
    }
    if let Some(socket) = socket {
        probe = probe.unix_socket(socket);
    }
    Ok(Invocation::Probe(probe))
}

fn parse_url(text: &OsStr) -> Result<Probe, String> {
    let url = text.to_str().ok_or_else(|| format!("the URL {text:?} is not ASCII"))?;
    Probe::new(url).map_err(|error| error.to_string())
}

fn parse_seconds(option: &str, text: &OsStr, longest: Duration) -> Result<Duration, String> {
    text.to_str()
        .and_then(|text| text.parse().ok())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| *time >= Duration::from_millis(1) && *time <= longest)
        .ok_or_else(|| {
            let longest = longest.as_secs();
            format!("{option} {text:?} is not a number of seconds from 0.001 to {longest}")
        })
}

fn parse_socket(path: OsString) -> Result<PathBuf, String> {
    if cfg!(not(unix)) {
        return Err("Unix sockets are not supported on this platform".to_owned());
    }
    parse_path("--unix-socket", path)
}

fn parse_path(option: &str, path: OsString) -> Result<PathBuf, String> {
    if path.is_empty() {
        return Err(format!("{option} has an empty path"));
    }
    Ok(PathBuf::from(path))
}

/// `--name=value` as name and value. Names are UTF-8; values may not be.
fn split(argument: &OsStr) -> (Option<&str>, Option<OsString>) {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let bytes = argument.as_bytes();
        if let Some(at) = bytes.iter().position(|byte| *byte == b'=') {
            let (name, value) = bytes.split_at(at);
            let value = value.get(1..).unwrap_or_default();
            return (std::str::from_utf8(name).ok(), Some(OsStr::from_bytes(value).to_owned()));
        }
    }
    #[cfg(not(unix))]
    if let Some((name, value)) = argument.to_str().and_then(|text| text.split_once('=')) {
        return (Some(name), Some(value.into()));
    }
    (argument.to_str(), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::Url;

    fn arguments(words: &[&str]) -> Result<Invocation, String> {
        parse(words.iter().map(OsString::from))
    }

    fn probe(words: &[&str]) -> Probe {
        match arguments(words) {
            Ok(Invocation::Probe(probe)) => probe,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn a_url_alone_has_the_defaults() {
        let Probe { url, socket, maintenance_ok, timeout } = probe(&["http://localhost/health"]);
        assert_eq!(Ok(url), Url::parse("http://localhost/health"));
        assert_eq!(socket, None);
        assert!(!maintenance_ok);
        assert_eq!(timeout, Duration::from_secs(10));
    }

    #[test]
    fn options_stand_anywhere_and_take_their_value_either_way() {
        for words in [
            &["--timeout", "0.5", "--maintenance-ok", "http://a"][..],
            &["http://a", "--timeout=0.5", "--maintenance-ok"],
            &["--timeout=7", "--timeout=0.5", "--maintenance-ok", "--", "http://a"],
        ] {
            let probe = probe(words);
            assert_eq!(probe.timeout, Duration::from_millis(500), "{words:?}");
            assert!(probe.maintenance_ok, "{words:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_is_a_path_that_is_not_empty() {
        for words in [&["--unix-socket", "s", "http://a"][..], &["http://a", "--unix-socket=s"]] {
            assert_eq!(probe(words).socket, Some(PathBuf::from("s")), "{words:?}");
        }
        let mistake = arguments(&["http://a", "--unix-socket="]).unwrap_err();
        assert!(mistake.contains("an empty path"), "{mistake}");
    }

    #[cfg(not(unix))]
    #[test]
    fn a_socket_is_refused_where_there_are_none() {
        let mistake = arguments(&["http://a", "--unix-socket=s"]).unwrap_err();
        assert_eq!(mistake, "Unix sockets are not supported on this platform");
    }

    #[test]
    fn help_and_version_come_before_what_follows_them() {
        assert_eq!(arguments(&["--help", "--nonsense"]), Ok(Invocation::Help));
        assert_eq!(arguments(&["http://a", "-h"]), Ok(Invocation::Help));
        assert_eq!(arguments(&["-V"]), Ok(Invocation::Version));
        assert_eq!(arguments(&["--version"]), Ok(Invocation::Version));
    }

    #[test]
    fn each_mistake_is_named() {
        for (words, named) in [
            (&[][..], "the URL is missing"),
            (&["--maintenance-ok"], "the URL is missing"),
            (&["http://a", "http://b"], r#"unexpected argument "http://b""#),
            (&["--", "http://a", "-h"], r#"unexpected argument "-h""#),
            (&["http://a", "--follow"], r#"unknown option "--follow""#),
            (&["http://a", "--maintenance-ok=yes"], r#"unknown option "--maintenance-ok=yes""#),
            (&["http://a", "--timeout"], r#""--timeout" needs a value"#),
            (&["http://a", "--unix-socket"], r#""--unix-socket" needs a value"#),
            (&["ftp://a"], r#"the URL "ftp://a" does not begin with http://"#),
            (&["-"], r#"unknown option "-""#),
            (&[""], "does not begin with http://"),
        ] {
            let mistake = arguments(words).unwrap_err();
            assert!(mistake.contains(named), "{words:?}: {mistake}");
        }
    }

    #[test]
    fn a_timeout_is_a_sensible_number_of_seconds() {
        for text in ["", "x", "0", "-1", "0.0009", "3600.1", "1e300", "inf", "NaN", "1 s"] {
            let mistake = arguments(&["http://a", "--timeout", text]).unwrap_err();
            assert!(mistake.contains("not a number of seconds"), "{text}: {mistake}");
        }
        for text in ["0.001", "1", "3600", "1e2"] {
            assert!(arguments(&["http://a", "--timeout", text]).is_ok(), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_utf_8_are_a_path_and_nothing_else() {
        use std::os::unix::ffi::OsStringExt as _;
        let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let path = PathBuf::from(bytes(b"\xff"));
        for words in [
            vec![bytes(b"--unix-socket"), bytes(b"\xff"), bytes(b"http://a")],
            vec![bytes(b"--unix-socket=\xff"), bytes(b"http://a")],
        ] {
            let Ok(Invocation::Probe(probe)) = parse(words) else {
                panic!("not taken");
            };
            assert_eq!(probe.socket.as_ref(), Some(&path));
        }
        for words in
            [vec![bytes(b"http://\xff")], vec![bytes(b"-\xff\x1b")], vec![bytes(b"--timeout=\xff")]]
        {
            let mistake = parse(words).unwrap_err();
            assert!(mistake.is_ascii(), "{mistake}");
            assert!(!mistake.contains('\x1b'), "{mistake}");
        }
    }
}
