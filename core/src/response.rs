//! The answer as HTTP: status, reason, headers, body (H3, H4, H6, H9, H10).

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::config::HealthConfig;
use crate::decision::{Decision, Verdict};

/// What to send. Fixed strings throughout: nothing that a check says can reach the wire (H9).
///
/// The answer to HEAD has the same status and headers, and no body (H2); servers on hyper and
/// actix-web see to that themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthResponse {
    status: StatusCode,
    word: Word,
}

/// The three things an endpoint says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Ok,
    Maintenance,
    Error,
}

impl Word {
    fn body(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Maintenance => "MAINTENANCE",
            Self::Error => "ERROR",
        }
    }

    /// The length of the body, as text.
    fn length(self) -> &'static str {
        match self {
            Self::Ok => "2",
            Self::Maintenance => "11",
            Self::Error => "5",
        }
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
const NO_STORE: &str = "no-store";
const NOSNIFF: &str = "nosniff";

impl HealthResponse {
    pub(crate) fn of(decision: &Decision, config: &HealthConfig) -> Self {
        let (status, word) = match decision {
            Decision::Pass => (StatusCode::OK, Word::Ok),
            Decision::Maintain => (config.maintenance_code(), Word::Maintenance),
            Decision::Checked(outcome) => match outcome.verdict {
                Verdict::Ok | Verdict::Degraded => (StatusCode::OK, Word::Ok),
                Verdict::Error => (config.failure_code(), Word::Error),
            },
        };
        Self { status, word }
    }

    /// The status code: 200, `maintenance_code` or `failure_code`.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase: canonical where the code has one, otherwise the body's word (H10).
    pub fn reason(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or(self.body())
    }

    /// The reason phrase where a framework would not know it: `None` when the code has a canonical
    /// one.
    pub fn custom_reason(&self) -> Option<&'static str> {
        match self.status.canonical_reason() {
            Some(_) => None,
            None => Some(self.body()),
        }
    }

    /// All headers of H9, names in lower case. Text, because frameworks differ in the major version of
    /// the `http` crate whose types they want.
    pub fn headers(&self) -> [(&'static str, &'static str); 4] {
        [
            ("content-type", TEXT),
            ("content-length", self.word.length()),
            ("cache-control", NO_STORE),
            ("x-content-type-options", NOSNIFF),
        ]
    }

    /// The body: `OK`, `MAINTENANCE` or `ERROR`.
    pub fn body(&self) -> &'static str {
        self.word.body()
    }
}

/// For frameworks on the `http` crate. The reason phrase has no place in this type: see
/// [`HealthResponse::custom_reason`].
impl From<HealthResponse> for Response<&'static str> {
    fn from(answer: HealthResponse) -> Self {
        let length = HeaderValue::from_static(answer.word.length());
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_TYPE, const { HeaderValue::from_static(TEXT) });
        headers.insert(CONTENT_LENGTH, length);
        headers.insert(CACHE_CONTROL, const { HeaderValue::from_static(NO_STORE) });
        headers.insert(
            X_CONTENT_TYPE_OPTIONS,
            const { HeaderValue::from_static(NOSNIFF) },
        );

        let mut response = Self::new(answer.body());
        *response.status_mut() = answer.status;
        *response.headers_mut() = headers;
        response
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::Response;

    use super::HealthResponse;
    use crate::config::HealthConfig;
    use crate::decision::{Decision, Outcome, Verdict};

    fn checked(verdict: Verdict) -> Decision {
        let record = None;
        Decision::Checked(Arc::new(Outcome { verdict, record }))
    }

    #[test]
    fn what_is_degraded_is_answered_as_what_is_ok() {
        let config = HealthConfig::default();
        let answer = |decision| HealthResponse::of(&decision, &config);
        assert_eq!(answer(checked(Verdict::Degraded)), answer(Decision::Pass));
        assert_eq!(answer(checked(Verdict::Ok)), answer(Decision::Pass));
    }

    #[test]
    fn the_content_length_is_the_length_of_the_body() {
        let config = HealthConfig::default();
        for decision in [Decision::Pass, Decision::Maintain, checked(Verdict::Error)] {
            let answer = HealthResponse::of(&decision, &config);
            let length = answer.body().len().to_string();
            assert!(answer.headers().contains(&("content-length", &length)));
        }
    }

    #[test]
    fn a_response_of_the_http_crate_has_the_same_headers() {
        let config = HealthConfig::default();
        for decision in [Decision::Pass, Decision::Maintain, checked(Verdict::Error)] {
            let answer = HealthResponse::of(&decision, &config);
            let response = Response::from(answer);
            assert_eq!(response.headers().len(), answer.headers().len());
            for (name, value) in answer.headers() {
                assert_eq!(response.headers()[name], value);
            }
            assert_eq!(response.status(), answer.status());
            assert_eq!(*response.body(), answer.body());
        }
    }

    #[test]
    fn only_a_code_without_a_canonical_reason_takes_the_word_of_the_body() {
        let config = HealthConfig::default();
        let reason = |decision| {
            let answer = HealthResponse::of(&decision, &config);
            (answer.reason(), answer.custom_reason())
        };
        assert_eq!(reason(Decision::Pass), ("OK", None));
        assert_eq!(
            reason(Decision::Maintain),
            ("MAINTENANCE", Some("MAINTENANCE"))
        );
        assert_eq!(
            reason(checked(Verdict::Error)),
            ("Service Unavailable", None)
        );
    }
}
