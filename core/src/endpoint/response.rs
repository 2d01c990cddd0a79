//! The response: status, reason phrase, headers, body (H3, H4, H6, H9, H10).

use std::borrow::Cow;
use std::sync::LazyLock;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::state::{Body, State};

/// The response to one request. Every string in it is fixed: nothing that a check reports can reach the client
/// ([H9](crate::contract#h9)).
///
/// The response to HEAD has the same status and headers, and no body ([H2](crate::contract#h2)); servers on hyper and
/// actix-web omit the body themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthResponse {
    state: State,
    reply: Reply,
}

/// The response of an endpoint in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Body,
    pub(crate) extra: ExtraHeaders,
}

impl Reply {
    pub(crate) const fn new(status: StatusCode, body: Body) -> Self {
        let extra = ExtraHeaders { retry_after: None, envoy: None };
        Self { status, body, extra }
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

/// The headers that every response has (H9).
#[inline]
fn common_headers(body: Body) -> [(&'static str, &'static str); 4] {
    [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", body.length()),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ]
}

/// The same for each body, to be cloned: a clone costs half of what it takes to fill a map.
static COMMON_HEADERS: LazyLock<[HeaderMap; Body::ALL.len()]> = LazyLock::new(|| {
    Body::ALL.map(|body| {
        common_headers(body)
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .into_iter()
            .collect()
    })
});

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

    /// The reason phrase: canonical where the code has one, otherwise the body ([H10](crate::contract#h10)).
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

    /// All headers: the four of [H9](crate::contract#h9), and those of
    /// [`Endpoint::retry_after`](crate::Endpoint::retry_after) and [`Endpoint::envoy`](crate::Endpoint::envoy). Names
    /// are in lower case. Both are text, because frameworks use different major versions of the `http` crate.
    #[inline]
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, Cow<'static, str>)> + use<> {
        let ExtraHeaders { retry_after, envoy } = self.reply.extra;
        let envoy = envoy.map(|envoy| (envoy.header(), "true"));
        let retry_after = retry_after.map(|seconds| ("retry-after", seconds.to_string().into()));
        common_headers(self.reply.body)
            .into_iter()
            .chain(envoy)
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
        let Reply { status, body, extra } = answer.reply;
        let mut headers = COMMON_HEADERS[body as usize].clone();
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
        extra.reply.extra =
            ExtraHeaders { retry_after: Some(120), envoy: Some(Envoy::ImmediateFail) };
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
    fn only_a_code_without_a_canonical_reason_uses_the_body_as_reason() {
        let [ok, maintenance, error, _] =
            answers().map(|answer| (answer.reason(), answer.custom_reason()));
        assert_eq!(ok, ("OK", None));
        assert_eq!(maintenance, ("MAINTENANCE", Some("MAINTENANCE")));
        assert_eq!(error, ("Service Unavailable", None));
    }
}
