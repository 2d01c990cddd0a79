//! The response: status, reason phrase, headers, body (H3, H4, H6, H9, H10).

use std::borrow::Cow;

use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::state::{Body, State};

/// The response to one request. Every string in it is fixed: nothing that a check reports can reach the client (H9).
///
/// The response to HEAD has the same status and headers, and no body (H2); servers on hyper and actix-web omit the
/// body themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthResponse {
    state: State,
    reply: Reply,
}

/// What an endpoint responds in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Body,
    pub(crate) extra: ExtraHeaders,
}

impl Reply {
    pub(crate) const fn new(status: StatusCode, body: Body) -> Self {
        let extra = ExtraHeaders {
            retry_after: None,
            envoy: None,
        };
        Self {
            status,
            body,
            extra,
        }
    }
}

/// Headers that some responses of some endpoints have besides the four of H9 (H16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExtraHeaders {
    /// In seconds.
    pub(crate) retry_after: Option<u64>,
    pub(crate) envoy: Option<Envoy>,
}

/// A header for Envoy; see the `envoy` preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envoy {
    Degraded,
    ImmediateFail,
}

impl Envoy {
    fn header(self) -> &'static str {
        match self {
            Self::Degraded => "x-envoy-degraded",
            Self::ImmediateFail => "x-envoy-immediate-health-check-fail",
        }
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
const NO_STORE: &str = "no-store";
const NOSNIFF: &str = "nosniff";

impl HealthResponse {
    pub(crate) fn new(state: State, reply: Reply) -> Self {
        Self { state, reply }
    }

    /// The state of the application.
    pub fn state(&self) -> State {
        self.state
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.reply.status
    }

    /// The reason phrase: canonical where the code has one, otherwise the body (H10).
    pub fn reason(&self) -> &'static str {
        self.status().canonical_reason().unwrap_or(self.body())
    }

    /// The reason phrase that a framework does not know: `None` when the code has a canonical one.
    pub fn custom_reason(&self) -> Option<&'static str> {
        match self.status().canonical_reason() {
            Some(_) => None,
            None => Some(self.body()),
        }
    }

    /// All headers: the four of H9, and those of [`Endpoint::retry_after`](crate::Endpoint::retry_after) and
    /// [`Endpoint::envoy`](crate::Endpoint::envoy). Names are in lower case. Both are text, because frameworks use
    /// different major versions of the `http` crate.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, Cow<'static, str>)> + use<> {
        let ExtraHeaders { retry_after, envoy } = self.reply.extra;
        let fixed = [
            ("content-type", TEXT),
            ("content-length", self.reply.body.length()),
            ("cache-control", NO_STORE),
            ("x-content-type-options", NOSNIFF),
        ];
        let envoy = envoy.map(|envoy| (envoy.header(), "true"));
        let fixed = fixed.into_iter().chain(envoy);
        let retry_after = retry_after.map(|seconds| ("retry-after", seconds.to_string().into()));
        fixed
            .map(|(name, value)| (name, value.into()))
            .chain(retry_after)
    }

    /// The body, such as `OK`, `MAINTENANCE` or `ERROR`.
    pub fn body(&self) -> &'static str {
        self.reply.body.as_str()
    }
}

/// For frameworks on the `http` crate. This type has no reason phrase: see [`HealthResponse::custom_reason`].
impl From<HealthResponse> for Response<&'static str> {
    fn from(answer: HealthResponse) -> Self {
        let Reply {
            status,
            body,
            extra,
        } = answer.reply;
        let length = HeaderValue::from_static(body.length());
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_TYPE, const { HeaderValue::from_static(TEXT) });
        headers.insert(CONTENT_LENGTH, length);
        headers.insert(CACHE_CONTROL, const { HeaderValue::from_static(NO_STORE) });
        headers.insert(
            X_CONTENT_TYPE_OPTIONS,
            const { HeaderValue::from_static(NOSNIFF) },
        );
        if let Some(envoy) = extra.envoy {
            headers.insert(envoy.header(), const { HeaderValue::from_static("true") });
        }
        if let Some(seconds) = extra.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }

        let mut response = Self::new(body.as_str());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

#[cfg(test)]
mod tests {
    use http::{Response, StatusCode};

    use super::{Envoy, ExtraHeaders, HealthResponse, Reply};
    use crate::state::{Body, State};

    fn answer(state: State, status: u16, body: Body) -> HealthResponse {
        let status = StatusCode::from_u16(status).unwrap();
        HealthResponse::new(state, Reply::new(status, body))
    }

    fn answers() -> [HealthResponse; 4] {
        let mut extra = answer(State::Maintenance, 503, Body::Maintenance);
        extra.reply.extra = ExtraHeaders {
            retry_after: Some(120),
            envoy: Some(Envoy::ImmediateFail),
        };
        [
            answer(State::Ok, 200, Body::Ok),
            answer(State::Maintenance, 299, Body::Maintenance),
            answer(State::Failing, 503, Body::Error),
            extra,
        ]
    }

    #[test]
    fn the_content_length_is_the_length_of_the_body() {
        for answer in answers() {
            let length = answer.body().len().to_string();
            let mut headers = answer.headers();
            assert!(headers.any(|header| header == ("content-length", length.clone().into())));
        }
    }

    #[test]
    fn a_response_of_the_http_crate_has_the_same_headers() {
        for answer in answers() {
            let response = Response::from(answer);
            assert_eq!(response.headers().len(), answer.headers().count());
            for (name, value) in answer.headers() {
                assert_eq!(response.headers()[name], *value);
            }
            assert_eq!(response.status(), answer.status());
            assert_eq!(*response.body(), answer.body());
        }
    }

    #[test]
    fn only_a_code_without_a_canonical_reason_takes_the_word_of_the_body() {
        let [ok, maintenance, error, _] =
            answers().map(|answer| (answer.reason(), answer.custom_reason()));
        assert_eq!(ok, ("OK", None));
        assert_eq!(maintenance, ("MAINTENANCE", Some("MAINTENANCE")));
        assert_eq!(error, ("Service Unavailable", None));
    }
}
