//! Text of others, which shows as text whatever it contains.

use maud::{Escaper, Render};

use crate::text::misleads;

/// A text that may contain anything. Its direction does not affect what surrounds it, and characters that mislead are shown
/// by their number; after a line feed, a new line begins where the style keeps them.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl Render for Shown<'_> {
    fn render_to(&self, out: &mut String) {
        use std::fmt::Write as _;

        out.push_str("<bdi>");
        let mut rest = self.0;
        while let Some(start) = rest.find(misleads) {
            let (safe, others) = rest.split_at(start);
            let end = others.find(|c| !misleads(c)).unwrap_or(others.len());
            let (misleading, after) = others.split_at(end);
            let _ = Escaper::new(out).write_str(safe);
            out.push_str("<mark>");
            for character in misleading.chars() {
                match character {
                    '\n' => out.push_str("\\n\n"),
                    '\t' => out.push_str("\\t"),
                    '\r' => out.push_str("\\r"),
                    _ => drop(write!(out, "\\u{:04x}", u32::from(character))),
                }
            }
            out.push_str("</mark>");
            rest = after;
        }
        let _ = Escaper::new(out).write_str(rest);
        out.push_str("</bdi>");
    }
}

#[cfg(test)]
mod tests {
    use maud::Render as _;
    use proptest::prelude::*;

    use super::Shown;
    use crate::text::misleads;

    fn shown(text: &str) -> String {
        Shown(text).render().into_string()
    }

    #[test]
    fn markup_and_misleading_characters_are_shown() {
        assert_eq!(shown("plain"), "<bdi>plain</bdi>");
        assert_eq!(
            shown(r#"<b title="x">&amp;</b>"#),
            "<bdi>&lt;b title=&quot;x&quot;&gt;&amp;amp;&lt;/b&gt;</bdi>"
        );
        assert_eq!(
            shown("a\u{202e}\u{0}b\nc\r\t\u{85}"),
            "<bdi>a<mark>\\u202e\\u0000</mark>b<mark>\\n\n</mark>c<mark>\\r\\t\\u0085</mark></bdi>"
        );
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_element(text in "([<>&\"'/a\n\u{0}\u{85}\u{61c}\u{202e}\u{2066}]|.){0,40}") {
            let shown = shown(&text);
            let inner = shown.strip_prefix("<bdi>").and_then(|rest| rest.strip_suffix("</bdi>"));
            let inner = inner.unwrap().replace("<mark>", "").replace("</mark>", "");
            prop_assert!(!inner.contains(['<', '>', '"']), "{inner}");
            prop_assert!(!inner.contains(|c| c != '\n' && misleads(c)), "{inner}");
        }
    }
}
