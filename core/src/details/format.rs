//! The formats, and which one a request gets (H31).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::accept::preferred;
#[cfg(feature = "metrics")]
use super::metrics::Exposition;
#[cfg(feature = "page")]
use super::page;
use super::snapshot::Snapshot;
use super::spring::SpringVersion;
use super::{health_json, healthchecks_ui, json, spring, verbose};

/// The format of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The word of the endpoint.
    Word,
    /// Our own JSON.
    Json,
    /// `application/health+json`.
    HealthJson,
    /// Spring Boot's JSON.
    Spring(SpringVersion),
    /// The JSON for HealthChecks.UI.
    HealthChecksUi,
    /// The lines of Kubernetes' `?verbose`.
    Verbose,
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
    offer("application", "health+json", Format::HealthJson),
    offer("application", "vnd.spring-boot.actuator.v3+json", Format::Spring(SpringVersion::V3)),
    offer("application", "vnd.spring-boot.actuator.v2+json", Format::Spring(SpringVersion::V2)),
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
    ("health", Format::HealthJson),
    ("spring", Format::Spring(SpringVersion::V3)),
    ("healthchecks-ui", Format::HealthChecksUi),
    ("verbose", Format::Verbose),
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
    /// The format for a request with this raw query and these lines of `Accept`. `format` in the query precedes `verbose`,
    /// which precedes the header; an unknown value of `format` counts as none. If the client accepts none of the formats, it
    /// gets the word.
    pub(crate) fn of(query: &str, accept: &[&[u8]]) -> Self {
        Self::in_query(query).or_else(|| preferred(accept, OFFERS)).unwrap_or(Self::Word)
    }

    /// The same for an endpoint that shows metrics only. If the client accepts neither of their formats, it gets the first.
    #[cfg(feature = "metrics")]
    pub(crate) fn of_metrics(query: &str, accept: &[&[u8]]) -> Self {
        let named = Self::in_query(query).filter(|format| matches!(format, Self::Metrics(_)));
        named.or_else(|| preferred(accept, &METRICS)).unwrap_or(METRICS[0].format)
    }

    /// The last `format` counts. As in Kubernetes, `verbose` needs no value, and none turns it off.
    fn in_query(query: &str) -> Option<Self> {
        let is = |text: &str, word: &str| percent_decode_str(text).eq(word.bytes());
        let pairs = || query.rsplit('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let named =
            |value| NAMES.iter().find(|(name, _)| is(value, name)).map(|(_, format)| *format);
        let (_, value) = pairs().find(|(key, _)| is(key, "format")).unzip();
        let is_verbose = || pairs().any(|(key, _)| is(key, "verbose"));
        value.and_then(named).or_else(|| is_verbose().then_some(Self::Verbose))
    }

    /// The document that shows a snapshot; `None` for the word, and for metrics.
    pub(crate) fn write(self, snapshot: &Snapshot) -> Option<Document> {
        let document = |content_type, body| Some(Document { content_type, body, policy: None });
        match self {
            Self::Word => None,
            #[cfg(feature = "metrics")]
            Self::Metrics(_) => None,
            Self::Json => document("application/json", json::write(snapshot)),
            Self::HealthJson => document("application/health+json", health_json::write(snapshot)),
            Self::Spring(version) => {
                document(version.content_type(), spring::write(snapshot, version))
            }
            // The dashboard reads a response that is not 200 only if this is its type.
            Self::HealthChecksUi => document("application/json", healthchecks_ui::write(snapshot)),
            Self::Verbose => document("text/plain; charset=utf-8", verbose::write(snapshot)),
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
    use super::super::spring::SpringVersion;
    use super::Format;

    #[test]
    #[cfg(all(feature = "page", feature = "metrics"))]
    fn the_contract_lists_every_format_in_order() {
        let contract = include_str!("../../contract.md");
        let (_, rule) = contract.split_once("| `format` | `Accept` | body |").unwrap();
        let (table, _) = rule.split_once("\n\n").unwrap();
        let quoted = |cell: usize| {
            let cells = table.lines().filter_map(move |line| line.split('|').nth(cell));
            cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect::<Vec<_>>()
        };
        let names: Vec<_> = super::NAMES.iter().map(|(name, _)| *name).collect();
        assert_eq!(quoted(1), names);
        let offered = |offer: &super::Offer| match offer.version {
            None => format!("{}/{}", offer.kind, offer.subtype),
            Some(version) => format!("{}/{};version={version}", offer.kind, offer.subtype),
        };
        assert_eq!(quoted(2), super::OFFERS.iter().map(offered).collect::<Vec<_>>());
    }

    #[test]
    fn a_verbose_request_gets_lines_unless_it_names_a_format() {
        let of = |query| Format::of(query, &[b"application/json"]);
        for query in ["verbose", "verbose=", "verbose=false", "a&verb%6fse=1&b", "verbose&format=x"]
        {
            assert_eq!(of(query), Format::Verbose, "{query}");
        }
        assert_eq!(of("format=json&verbose"), Format::Json);
        for query in ["Verbose", "verbose2", "a=verbose"] {
            assert_eq!(of(query), Format::Json, "{query}");
        }
    }

    #[test]
    fn spring_boot_admin_gets_the_version_that_it_accepts() {
        let accept = b"application/vnd.spring-boot.actuator.v2+json, application/json";
        assert_eq!(Format::of("", &[accept]), Format::Spring(SpringVersion::V2));
        let accept = b"application/vnd.spring-boot.actuator.v3+json";
        assert_eq!(Format::of("", &[accept]), Format::Spring(SpringVersion::V3));
    }

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
