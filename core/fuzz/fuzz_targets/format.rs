//! Any query: the format changes, and nothing else.

#![no_main]

use health_fuzz::respond;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &str| {
    for accept in ["", "application/json", "text/html;q=0.5, */*;q=0.1"] {
        let seen = respond(query, [("accept", accept.as_bytes())]);
        assert!(!seen.is_full());
        // The last one counts.
        assert!(
            respond(&format!("{query}&format=text"), [("accept", accept.as_bytes())]).is_word()
        );
        assert!(!respond(&format!("{query}&format=json"), []).is_word());
    }
});
