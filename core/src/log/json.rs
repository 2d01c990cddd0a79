//! JSON that is safe in a log.

use std::fmt::{self, Write as _};

use crate::text::misleads;

/// A compact JSON array of values that are JSON already.
pub(crate) struct Array<I>(pub(crate) I);

impl<I> fmt::Display for Array<I>
where
    I: Iterator<Item: fmt::Display> + Clone,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('[')?;
        for (index, value) in self.0.clone().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{value}")?;
        }
        f.write_char(']')
    }
}

/// A JSON string that is safe in a log: DEL, the C1 controls, line separators and direction marks are escaped too,
/// because they end a line or rewrite it on a terminal.
pub(crate) struct JsonString<'a>(pub(crate) &'a str);

impl fmt::Display for JsonString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                _ if misleads(character) => write!(f, "\\u{:04x}", u32::from(character))?,
                _ => f.write_char(character)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::JsonString;

    #[test]
    fn line_breaks_and_tabs_take_the_short_escapes_that_people_know() {
        let written = JsonString("a\n\r\t\u{b}").to_string();
        assert_eq!(written, r#""a\n\r\t\u000b""#);
    }

    proptest! {
        #[test]
        fn any_text_is_one_line_of_json_that_reads_back(text in any::<String>()) {
            let written = JsonString(&text).to_string();
            prop_assert!(!written.contains(super::misleads), "{}", written);
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }

        #[test]
        fn misleading_characters_read_back(code in 0..0x2100_u32) {
            let text = char::from_u32(code).unwrap().to_string();
            let written = JsonString(&text).to_string();
            prop_assert!(!written.contains(super::misleads), "{}", written);
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
