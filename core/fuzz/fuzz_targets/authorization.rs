//! Any lines of `Authorization`: only one line with the token shows the secret.

#![no_main]

use health_fuzz::{TOKEN, respond};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let headers = || lines.iter().map(|line| ("authorization", *line));
    assert!(respond("", headers()).is_word());
    let is_full = respond("format=json", headers()).is_full();
    let is_allowed = matches!(lines[..], [line] if has_token(line));
    assert_eq!(is_full, is_allowed, "{lines:?}");
});

/// Whether this is the scheme, in any case, then spaces and the token, with nothing but blanks around it.
fn has_token(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let Some((scheme, rest)) = line.split_at_checked(6) else {
        return false;
    };
    let token = rest.trim_ascii_start();
    scheme.eq_ignore_ascii_case(b"bearer") && token.len() < rest.len() && token == TOKEN.as_bytes()
}
