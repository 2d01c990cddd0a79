//! The two text formats of metrics: that of Prometheus, 0.0.4, and OpenMetrics 1.0.0.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use super::families::{Family, Kind};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exposition {
    Prometheus,
    OpenMetrics,
}

impl Exposition {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Writes one family after the other.
pub(super) struct Writer {
    text: String,
    exposition: Exposition,
}

impl Writer {
    /// `size` is the expected length of the text in bytes.
    pub(super) fn new(exposition: Exposition, size: usize) -> Self {
        Self { text: String::with_capacity(size), exposition }
    }

    /// Writes the samples of each item; nothing if there is no item.
    pub(super) fn family<T>(
        &mut self,
        family: &Family,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Samples<'_>, T),
    ) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return;
        }
        self.describe(family);
        let mut samples = Samples { text: &mut self.text, name: family.name };
        items.for_each(|item| write(&mut samples, item));
    }

    fn describe(&mut self, family: &Family) {
        let Family { name, kind, unit, help } = *family;
        let (name, unit, kind) = match (self.exposition, kind) {
            (Exposition::OpenMetrics, Kind::Counter) => {
                (name.trim_end_matches("_total"), unit, "counter")
            }
            (Exposition::OpenMetrics, Kind::Info) => (name.trim_end_matches("_info"), unit, "info"),
            (Exposition::OpenMetrics, Kind::Gauge) => (name, unit, "gauge"),
            (Exposition::OpenMetrics, Kind::Histogram) => (name, unit, "histogram"),
            (Exposition::Prometheus, Kind::Counter) => (name, None, "counter"),
            (Exposition::Prometheus, Kind::Info | Kind::Gauge) => (name, None, "gauge"),
            (Exposition::Prometheus, Kind::Histogram) => (name, None, "histogram"),
        };
        self.push(&["# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind, "\n"]);
        if let Some(unit) = unit {
            self.push(&["# UNIT ", name, " ", unit, "\n"]);
        }
    }

    fn push(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.text.push_str(part));
    }

    pub(super) fn finish(mut self) -> String {
        if self.exposition == Exposition::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// The samples of a family.
pub(super) struct Samples<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Samples<'_> {
    /// A sample with these labels, whose values are [escaped]. Its number is not NaN.
    pub(super) fn add(&mut self, labels: &[(&str, &str)], number: impl Display) {
        self.add_part("", labels, number);
    }

    /// The same, for a part of a histogram, such as `_sum`.
    pub(super) fn add_part(&mut self, suffix: &str, labels: &[(&str, &str)], number: impl Display) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        let mut before = '{';
        for (label, value) in labels {
            self.text.push(before);
            self.text.push_str(label);
            self.text.push_str("=\"");
            self.text.push_str(value);
            self.text.push('"');
            before = ',';
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        // Writing into a string does not fail.
        let _ = writeln!(self.text, " {number}");
    }
}

/// A value of a label as it stands between its quotes, in both formats.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '"', '\n']) {
        return text.into();
    }
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n").into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::escaped;

    /// As a scraper reads it.
    fn unescaped(text: &str) -> Option<String> {
        let mut characters = text.chars();
        let mut read = String::new();
        while let Some(character) = characters.next() {
            read.push(match character {
                '"' | '\n' => return None,
                '\\' => match characters.next()? {
                    'n' => '\n',
                    other @ ('\\' | '"') => other,
                    _ => return None,
                },
                other => other,
            });
        }
        Some(read)
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in r#"[a\\"\n\r\té名]*|.*"#) {
            prop_assert_eq!(unescaped(&escaped(&text)), Some(text));
        }
    }
}
