//! The answer as HTTP: status, reason, headers, body (H3, H4, H6, H9, H10).

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::config::HealthConfig;
use crate::decision::Decision;

/// What to send. Fixed strings throughout: nothing that a check says can reach the wire (H9).
///
/// The answer to HEAD has the same status and headers, and no body (H2); servers on hyper and
/// actix-web see to that themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthResponse {
    status: StatusCode,
    body: &'static str,
    length: &'static str,
}

impl HealthResponse {
    pub(crate) fn of(decision: &Decision, config: &HealthConfig) -> Self {
        let (status, body, length) = match decision {
            Decision::Pass => (StatusCode::OK, "OK", "2"),
            Decision::Maintain => (config.maintenance_code(), "MAINTENANCE", "11"),
            Decision::Fail(_) => (config.failure_code(), "ERROR", "5"),
        };
        Self {
            status,
            body,
            length,
        }
    }

    /// The status code: 200, `maintenance_code` or `failure_code`.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase: canonical where the code has one, otherwise the body's word (H10).
    pub fn reason(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or(self.body)
    }

    /// The reason phrase where a framework would not know it: `None` when the code has a canonical
    /// one.
    pub fn custom_reason(&self) -> Option<&'static str> {
        match self.status.canonical_reason() {
            Some(_) => None,
            None => Some(self.body),
        }
    }

    /// All headers of H9. Nothing is allocated.
    pub fn headers(&self) -> [(HeaderName, HeaderValue); 4] {
        [
            (
                CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            ),
            (CONTENT_LENGTH, HeaderValue::from_static(self.length)),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ]
    }

    /// The body: `OK`, `MAINTENANCE` or `ERROR`.
    pub fn body(&self) -> &'static str {
        self.body
    }
}

/// For frameworks on the `http` crate. The reason phrase has no place in this type: see
/// [`HealthResponse::custom_reason`].
impl From<HealthResponse> for Response<&'static str> {
    fn from(answer: HealthResponse) -> Self {
        let mut response = Self::new(answer.body);
        *response.status_mut() = answer.status;
        response.headers_mut().extend(answer.headers());
        response
    }
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::HealthResponse;
    use crate::config::HealthConfig;
    use crate::decision::Decision;

    #[test]
    fn the_content_length_is_the_length_of_the_body() {
        let config = HealthConfig::default();
        for decision in [Decision::Pass, Decision::Maintain, Decision::Fail(vec![])] {
            let answer = HealthResponse::of(&decision, &config);
            let response = Response::from(answer);
            assert_eq!(
                response.headers()["content-length"],
                answer.body().len().to_string()
            );
            assert_eq!(response.headers().len(), answer.headers().len());
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
            reason(Decision::Fail(vec![])),
            ("Service Unavailable", None)
        );
    }
}
