//! Any lines of `Accept`: the format changes, and nothing else.

#![no_main]

use health_fuzz::respond;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let lines = || data.split(|byte| *byte == b'\n').map(|line| ("accept", line));
    let seen = respond("", lines());
    assert!(!seen.is_full());
    // The query precedes the header.
    assert!(respond("format=text", lines()).is_word());
    assert!(!respond("format=json", lines()).is_word());
});
