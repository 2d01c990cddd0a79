//! The formats, and which one a request gets (H31).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::accept::preferred;
use super::json;
#[cfg(feature = "metrics")]
use super::metrics::Exposition;
#[cfg(feature = "page")]
use super::page;
use super::snapshot::Snapshot;

/// The format of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The word of the endpoint.
    Word,
    /// Our own JSON.
    Json,
    /// The page.
    #[cfg(feature = "page")]
    Page { refreshes: bool },
    /// Metrics.
    #[cfg(feature = "metrics")]
    Metrics(Exposition),
}

/// A media type that an endpoint with details can send.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    pub(super) kind: &'static str,
    pub(super) subtype: &'static str,
    /// The parameter `version`.
    pub(super) version: Option<&'static str>,
    pub(super) format: Format,
}

const fn offer(kind: &'static str, subtype: &'static str, format: Format) -> Offer {
    Offer { kind, subtype, version: None, format }
}

/// All media types. The first one that is acceptable wins where the client has no preference.
pub(super) static OFFERS: &[Offer] = &[
    offer("text", "plain", Format::Word),
    offer("application", "json", Format::Json),
    #[cfg(feature = "page")]
    offer("text", "html", Format::Page { refreshes: true }),
    #[cfg(feature = "metrics")]
    METRICS[0],
    #[cfg(feature = "metrics")]
    METRICS[1],
];

/// Those of an endpoint that shows metrics only.
#[cfg(feature = "metrics")]
const METRICS: [Offer; 2] = [
    Offer {
        version: Some("0.0.4"),
        ..offer("text", "plain", Format::Metrics(Exposition::Prometheus))
    },
    Offer {
        version: Some("1.0.0"),
        ..offer("application", "openmetrics-text", Format::Metrics(Exposition::OpenMetrics))
    },
];

/// The names for the query parameter `format`.
const NAMES: &[(&str, Format)] = &[
    ("text", Format::Word),
    ("json", Format::Json),
    #[cfg(feature = "page")]
    ("html", Format::Page { refreshes: true }),
    #[cfg(feature = "page")]
    ("html-still", Format::Page { refreshes: false }),
    #[cfg(feature = "metrics")]
    ("prometheus", Format::Metrics(Exposition::Prometheus)),
    #[cfg(feature = "metrics")]
    ("openmetrics", Format::Metrics(Exposition::OpenMetrics)),
];

impl Format {
    /// The format for a request with this raw query and these lines of `Accept`. `format` in the query precedes the header;
    /// an unknown value of it counts as none. If the client accepts none of the formats, it gets the word.
    pub(crate) fn of(query: &str, accept: &[&[u8]]) -> Self {
        Self::in_query(query).or_else(|| preferred(accept, OFFERS)).unwrap_or(Self::Word)
    }

    /// The same for an endpoint that shows metrics only. If the client accepts neither of their formats, it gets the first.
    #[cfg(feature = "metrics")]
    pub(crate) fn of_metrics(query: &str, accept: &[&[u8]]) -> Self {
        let named = Self::in_query(query).filter(|format| matches!(format, Self::Metrics(_)));
        named.or_else(|| preferred(accept, &METRICS)).unwrap_or(METRICS[0].format)
    }

    /// The last `format` counts.
    fn in_query(query: &str) -> Option<Self> {
        let named = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let is = |text: &str, word: &str| percent_decode_str(text).eq(word.bytes());
            is(key, "format").then(|| NAMES.iter().find(|(name, _)| is(value, name)))
        };
        let (_, format) = query.rsplit('&').find_map(named)??;
        Some(*format)
    }

    /// The document that shows a snapshot; `None` for the word, and for metrics.
    pub(crate) fn write(self, snapshot: &Snapshot) -> Option<Document> {
        let document = |content_type, body| Some(Document { content_type, body, policy: None });
        match self {
            Self::Word => None,
            #[cfg(feature = "metrics")]
            Self::Metrics(_) => None,
            Self::Json => document("application/json", json::write(snapshot)),
            #[cfg(feature = "page")]
            Self::Page { refreshes } => Some(Document {
                content_type: "text/html; charset=utf-8",
                body: page::write(snapshot, refreshes),
                policy: Some(page::POLICY),
            }),
        }
    }
}

/// The body of a response that is not the word, and its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) content_type: &'static str,
    pub(crate) body: Cow<'static, str>,
    /// The `Content-Security-Policy`.
    pub(crate) policy: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn the_query_precedes_the_header() {
        let of = |query| Format::of(query, &[b"application/json"]);
        for (query, format) in [
            ("", Format::Json),
            ("format=text", Format::Word),
            ("format=tex%74", Format::Word),
            ("form%61t=text&checks=all", Format::Word),
            ("format=json&format=text", Format::Word),
            ("format=text&format=json", Format::Json),
            ("format=text&format=nonsense", Format::Json),
            ("format=", Format::Json),
            ("format", Format::Json),
            ("format=TEXT", Format::Json),
            ("format=text%ff", Format::Json),
            ("Format=text", Format::Json),
        ] {
            assert_eq!(of(query), format, "{query}");
        }
        assert_eq!(Format::of("format=json", &[]), Format::Json);
        assert_eq!(Format::of("", &[b"image/png"]), Format::Word);
    }
}
