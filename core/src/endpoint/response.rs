//! The response: status, reason phrase, headers, body (H3, H4, H6, H9, H10).

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use http::header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

#[cfg(feature = "details")]
use crate::details::Document;
use crate::state::{Body, State};

/// The response to one request. Unless the endpoint has [details](crate::Endpoint::details), every string in it is fixed:
/// nothing that a check reports can reach the client ([H9](crate::contract#h9)).
///
/// The response to HEAD has the same status and headers, and no body ([H2](crate::contract#h2)); servers on hyper and
/// actix-web omit the body themselves.
#[derive(Clone, PartialEq, Eq)]
pub struct HealthResponse {
    state: State,
    reply: Reply,
    /// What the body shows in place of the word. Boxed: a word needs no room for it.
    #[cfg(feature = "details")]
    document: Option<Box<Document>>,
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
        let extra = ExtraHeaders { retry_after: None, envoy: None, varies: false };
        Self { status, body, extra }
    }
}

/// Headers that some responses of some endpoints have besides the four of H9 (H16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExtraHeaders {
    /// In seconds.
    pub(crate) retry_after: Option<u64>,
    pub(crate) envoy: Option<Envoy>,
    /// Whether `Accept` chooses the format of the body.
    pub(crate) varies: bool,
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

type CommonHeaders = [(&'static str, &'static str); 4];

#[cfg(feature = "details")]
type Header = (&'static str, Cow<'static, str>);

/// The headers that every response has (H9).
#[inline]
fn common_headers(body: Body) -> CommonHeaders {
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
        Self {
            state,
            reply,
            #[cfg(feature = "details")]
            document: None,
        }
    }

    /// Shows `document` in place of the word.
    #[cfg(feature = "details")]
    pub(crate) fn with_document(self, document: Option<Document>) -> Self {
        Self { document: document.map(Box::new), ..self }
    }

    /// The reader could have asked for another format.
    #[cfg(feature = "details")]
    pub(crate) fn varying(mut self) -> Self {
        self.reply.extra.varies = true;
        self
    }

    /// The headers of the document that it shows in place of the word.
    fn document(&self) -> Option<&Document> {
        #[cfg(feature = "details")]
        return self.document.as_deref();
        #[cfg(not(feature = "details"))]
        None
    }

    /// The state of the application.
    pub fn state(&self) -> State {
        self.state
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.reply.status
    }

    /// The word for the state, which is the body unless that shows details.
    pub fn word(&self) -> Body {
        self.reply.body
    }

    /// The reason phrase: canonical where the code has one, otherwise the word ([H10](crate::contract#h10)).
    pub fn reason(&self) -> &'static str {
        self.status().canonical_reason().unwrap_or(self.reply.body.as_str())
    }

    /// The reason phrase that a framework does not know: `None` when the code has a canonical one.
    pub fn custom_reason(&self) -> Option<&'static str> {
        match self.status().canonical_reason() {
            Some(_) => None,
            None => Some(self.reply.body.as_str()),
        }
    }

    /// All headers: the four of [H9](crate::contract#h9), and those of
    /// [`Endpoint::retry_after`](crate::Endpoint::retry_after), [`Endpoint::envoy`](crate::Endpoint::envoy) and
    /// [`Endpoint::details`](crate::Endpoint::details). Names are in lower case. Both are text, because frameworks use
    /// different major versions of the `http` crate.
    #[inline]
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, Cow<'static, str>)> + use<> {
        let ExtraHeaders { retry_after, envoy, .. } = self.reply.extra;
        let envoy = envoy.map(|envoy| (envoy.header(), "true"));
        let retry_after = retry_after.map(|seconds| ("retry-after", seconds.to_string().into()));
        let common = common_headers(self.reply.body);
        #[cfg(feature = "details")]
        let (common, of_details) = self.with_headers_of_details(common);
        let headers = common
            .into_iter()
            .chain(envoy)
            .map(|(name, value)| (name, value.into()))
            .chain(retry_after);
        #[cfg(feature = "details")]
        let headers = headers.chain(of_details);
        headers
    }

    /// The common headers, changed for a document, and those that only endpoints with details have.
    #[cfg(feature = "details")]
    #[inline]
    fn with_headers_of_details(&self, common: CommonHeaders) -> (CommonHeaders, Vec<Header>) {
        if self.reply.extra.varies { self.headers_that_vary(common) } else { (common, Vec::new()) }
    }

    #[cfg(feature = "details")]
    #[cold]
    fn headers_that_vary(&self, mut common: CommonHeaders) -> (CommonHeaders, Vec<Header>) {
        const VARY: (&str, &str) = ("vary", "accept");
        let Some(document) = self.document() else {
            return (common, vec![(VARY.0, VARY.1.into())]);
        };
        let [content_type, content_length, ..] = &mut common;
        content_type.1 = document.content_type;
        // The length of a document is not a fixed text.
        *content_length = VARY;
        let length = ("content-length", document.body.len().to_string().into());
        let policy = document.policy.map(|policy| ("content-security-policy", policy.into()));
        (common, [length].into_iter().chain(policy).collect())
    }

    /// The body: a word such as `OK`, `MAINTENANCE` or `ERROR`, or the [details](crate::Endpoint::details) of the
    /// endpoint.
    pub fn body(&self) -> &str {
        match self.document() {
            None => self.reply.body.as_str(),
            Some(document) => document.body.as_ref(),
        }
    }

    /// The body, as in [`body`](Self::body). A word needs no allocation.
    #[inline]
    pub fn into_body(self) -> Cow<'static, str> {
        #[cfg(feature = "details")]
        if let Some(document) = self.document {
            return document.body;
        }
        self.reply.body.as_str().into()
    }
}

/// Omits the body of the details: it may hold secrets, and `Debug` output travels.
impl fmt::Debug for HealthResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthResponse")
            .field("state", &self.state)
            .field("status", &self.reply.status)
            .field("word", &self.reply.body)
            .finish_non_exhaustive()
    }
}

/// Without the feature, no response shows a document.
#[cfg(not(feature = "details"))]
struct Document {
    content_type: &'static str,
    body: Cow<'static, str>,
    policy: Option<&'static str>,
}

/// For frameworks on the `http` crate. This type has no reason phrase: see [`HealthResponse::custom_reason`].
impl From<HealthResponse> for Response<Cow<'static, str>> {
    fn from(answer: HealthResponse) -> Self {
        let Reply { status, body, extra } = answer.reply;
        let mut headers = COMMON_HEADERS[body as usize].clone();
        if let Some(envoy) = extra.envoy {
            headers.insert(envoy.header(), const { HeaderValue::from_static("true") });
        }
        if let Some(seconds) = extra.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if extra.varies {
            headers.insert(VARY, const { HeaderValue::from_static("accept") });
        }
        if let Some(document) = answer.document() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(document.content_type));
            headers.insert(CONTENT_LENGTH, document.body.len().into());
            if let Some(policy) = document.policy {
                headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
            }
        }

        let mut response = Self::new(answer.into_body());
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
            varies: true,
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
            let response = Response::from(answer.clone());
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
