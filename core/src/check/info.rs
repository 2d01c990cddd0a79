//! What is known about a check before it runs.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Criticality;

/// What is known about a check before it runs. [`Health::checks`](crate::Health::checks) returns it, and each
/// [`CheckFinished`](crate::CheckFinished) contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckInfo {
    /// The name.
    pub name: String,
    /// What it tests, for people: [`Check::description`](crate::Check::description).
    pub description: Option<String>,
    /// Who is responsible: [`Check::owner`](crate::Check::owner).
    pub owner: Option<String>,
    /// The URL of the instructions for a failure: [`Check::runbook`](crate::Check::runbook).
    pub runbook: Option<String>,
    /// Whether it is required or [optional](crate::Check::optional), unless an endpoint regards it differently.
    pub criticality: Criticality,
    /// Whether it is of a [shared](crate::Check::shared) dependency.
    pub is_shared: bool,
    /// Whether it tests [this process only](crate::Check::process_only).
    pub is_process_only: bool,
    /// The [timeout](crate::Check::timeout), with the settings applied.
    pub timeout: Duration,
    /// The period of a [background check](crate::Check::every), with the settings applied.
    pub period: Option<Duration>,
    /// The [tags](crate::Check::tag).
    pub tags: BTreeSet<String>,
}

/// The static facts of a check, for people.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) description: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) runbook: Option<String>,
}

/// The maximum length of a fact in bytes.
const MAX_FACT_LEN: usize = 1024;

pub(crate) const TEXT_RULE: &str = "it must have 1 to 1024 bytes and no control character";
pub(crate) const URL_RULE: &str = "it must start with https:// or http://, and have at most 1024 bytes, all of them \
                                   printable ASCII without spaces, quotes, <, > and \\";

impl Facts {
    /// The first fact that is not accepted: its name, its value and the rule.
    pub(crate) fn refused(&self) -> Option<(&'static str, &str, &'static str)> {
        for (fact, text) in [("description", &self.description), ("owner", &self.owner)] {
            if let Some(text) = text.as_deref().filter(|text| !is_text(text)) {
                return Some((fact, text, TEXT_RULE));
            }
        }
        let runbook = self.runbook.as_deref().filter(|url| !is_url(url))?;
        Some(("runbook", runbook, URL_RULE))
    }
}

fn is_text(text: &str) -> bool {
    (1..=MAX_FACT_LEN).contains(&text.len()) && !text.contains(char::is_control)
}

/// A link that a page may show: no `javascript:`, and no character that ends an attribute.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty())
        && text.len() <= MAX_FACT_LEN
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !br#"<>"'`\"#.contains(&byte))
}
