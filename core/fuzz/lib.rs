//! What the fuzz targets share: a failing service, and what holds for each of its responses.

use std::sync::OnceLock;
use std::time::Duration;

use futures::executor::block_on;
use health_core::{
    BearerTokens, Check, DetailLevel, Endpoint, EndpointHandle, Health, HealthConfig,
    HealthRequest, HealthResponse,
};

/// The token of readers who may see everything.
pub const TOKEN: &str = "Zm9yIHRoZSBkYXNoYm9hcmQ=";

/// The text that no other reader may see.
const SECRET: &str = "hunter2-is-secret";

/// An endpoint whose only check has failed with the secret as its message.
fn endpoint() -> &'static EndpointHandle {
    static ENDPOINT: OnceLock<EndpointHandle> = OnceLock::new();
    ENDPOINT.get_or_init(|| {
        let tokens = BearerTokens::new([TOKEN]).unwrap();
        let ready = Endpoint::readiness("/ready").details(DetailLevel::States);
        let health = Health::builder()
            .config(HealthConfig::default().with_disablefile(""))
            .register(Check::new("database", || async { Err::<(), _>(SECRET) }))
            // The check runs once.
            .min_interval(Duration::from_secs(1 << 30))
            .endpoint(ready.full_details_for(&tokens))
            .build()
            .unwrap();
        health.at("/ready").unwrap()
    })
}

/// The response to a request with these headers, of which everything that holds for each response was asserted.
pub fn respond<'a>(
    query: &'a str,
    headers: impl IntoIterator<Item = (&'static str, &'a [u8])>,
) -> Seen {
    let request = HealthRequest::new(query).headers(headers);
    let response = block_on(endpoint().respond(request));
    let seen = Seen::of(&response);
    assert_eq!(response.status(), 503);
    assert_eq!(seen.header("vary"), "accept");
    assert_eq!(seen.header("cache-control"), "no-store");
    assert_eq!(seen.header("x-content-type-options"), "nosniff");
    assert_eq!(seen.header("content-length"), seen.body.len().to_string());
    for (name, value) in &seen.headers {
        assert!(!value.contains(SECRET), "{name}");
        assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name}");
    }
    match seen.header("content-type") {
        "text/plain; charset=utf-8" => {
            assert!(seen.is_word() || seen.body.starts_with("[-]database"), "{}", seen.body);
        }
        json if json.starts_with("application/") && json.ends_with("json") => {
            let json: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
            assert!(json["status"].is_string());
        }
        "text/html; charset=utf-8" => {
            assert!(seen.body.to_ascii_lowercase().starts_with("<!doctype html>"));
            assert!(seen.body.trim_end().ends_with("</html>"));
        }
        "text/plain; version=0.0.4; charset=utf-8" => assert_exposition(&seen.body),
        "application/openmetrics-text; version=1.0.0; charset=utf-8" => {
            assert_exposition(seen.body.strip_suffix("# EOF\n").unwrap());
        }
        other => panic!("say here how {other} is parsed"),
    }
    seen
}

/// Each line is a comment, or a series and its number.
fn assert_exposition(body: &str) {
    assert!(body.ends_with('\n'));
    for line in body.lines().filter(|line| !line.starts_with("# ")) {
        let (series, number) = line.rsplit_once(' ').unwrap();
        assert!(series.starts_with("health_"), "{line}");
        assert!(number.parse::<f64>().is_ok(), "{line}");
    }
}

/// What the client sees.
pub struct Seen {
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Seen {
    fn of(response: &HealthResponse) -> Self {
        let headers = response.headers().map(|(name, value)| (name, value.into_owned()));
        Self { headers: headers.collect(), body: response.body().to_owned() }
    }

    /// The only header of this name.
    fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(other, _)| *other == name);
        let (Some((_, value)), None) = (values.next(), values.next()) else {
            panic!("one {name} was expected");
        };
        value
    }

    /// Whether it is the word.
    pub fn is_word(&self) -> bool {
        self.body == "ERROR"
    }

    /// Whether it shows the secret.
    pub fn is_full(&self) -> bool {
        self.body.contains(SECRET)
    }
}
