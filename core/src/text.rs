//! Bounds on text that the application hands in.

use std::fmt::{self, Write as _};

/// The most bytes of a name or message that are kept: 1,024. A longer text is cut at a character
/// boundary and ends with `…` (H8).
pub const MAX_MESSAGE_LEN: usize = 1024;

/// Writes `text` until [`MAX_MESSAGE_LEN`] is reached; a text of any size costs no more memory than that.
pub(crate) fn cut(text: impl fmt::Display) -> String {
    let mut kept = Bounded {
        text: String::new(),
        full: false,
    };
    // The error says that the limit was reached, or that the text refuses to be shown: what was
    // written until then stands.
    let _ = write!(kept, "{text}");
    if kept.full {
        kept.text.push('…');
    }
    kept.text
}

struct Bounded {
    text: String,
    full: bool,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.full {
            return Err(fmt::Error);
        }
        let room = MAX_MESSAGE_LEN - self.text.len();
        if piece.len() <= room {
            self.text.push_str(piece);
            return Ok(());
        }
        let boundary = (0..=room)
            .rev()
            .find(|&at| piece.is_char_boundary(at))
            .unwrap_or_default();
        self.text.push_str(&piece[..boundary]);
        self.full = true;
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use proptest::prelude::*;

    use super::{MAX_MESSAGE_LEN, cut};

    #[test]
    fn a_text_of_exactly_the_limit_is_kept_whole() {
        let text = "x".repeat(MAX_MESSAGE_LEN);
        assert_eq!(cut(&text), text);
        assert_eq!(cut(format!("{text}y")), format!("{text}…"));
    }

    #[test]
    fn an_endless_text_is_cut_and_not_awaited() {
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for _ in 0..=MAX_MESSAGE_LEN {
                    f.write_str("é")?;
                }
                panic!("awaited")
            }
        }
        assert_eq!(
            cut(Endless),
            format!("{}…", "é".repeat(MAX_MESSAGE_LEN / 2))
        );
    }

    proptest! {
        #[test]
        fn what_is_kept_is_the_longest_prefix_that_fits(
            text in prop::collection::vec(any::<char>(), 0..600),
            pieces in 1..4_usize,
        ) {
            let text = String::from_iter(text).repeat(pieces);
            let kept = cut(&text);
            if text.len() <= MAX_MESSAGE_LEN {
                prop_assert_eq!(kept, text);
            } else {
                let prefix = kept.strip_suffix('…').unwrap();
                let next = text[prefix.len()..].chars().next().unwrap();
                prop_assert!(text.starts_with(prefix));
                prop_assert!(prefix.len() <= MAX_MESSAGE_LEN);
                prop_assert!(prefix.len() + next.len_utf8() > MAX_MESSAGE_LEN);
            }
        }
    }
}
