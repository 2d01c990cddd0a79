//! Text that the application passes in, bounded; and enums with fixed names.

mod list;
mod names;

use std::error::Error;
use std::fmt::{self, Write as _};
use std::time::Duration;

pub(crate) use self::list::List;
pub use self::names::UnknownName;
pub(crate) use self::names::names;

/// The maximum length in bytes of a name or message: 1,024. Longer text is cut at a character boundary, and `…`
/// marks the cut ([H8](crate::contract#h8)).
pub const MAX_MESSAGE_LEN: usize = 1024;

/// The most causes of an error that are followed: an error may be its own cause.
const MAX_CAUSES: usize = 16;

/// Writes `text` up to [`MAX_MESSAGE_LEN`]. Text of any length needs no more memory than that.
pub(crate) fn cut(text: impl fmt::Display) -> String {
    let mut bounded = Bounded::default();
    bounded.push(text);
    bounded.finish()
}

/// Writes `error` and its causes, such as `connect: no route to host`, cut as by [`cut`]. A cause that the text
/// already ends with is left out: many errors show their cause themselves.
pub(crate) fn cut_error(error: &dyn Error) -> String {
    let mut bounded = Bounded::default();
    bounded.push(error);
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    for cause in causes.take(MAX_CAUSES) {
        let cause = cut(cause);
        if bounded.is_full {
            break;
        }
        if !bounded.text.ends_with(&cause) {
            bounded.push(format_args!(": {cause}"));
        }
    }
    bounded.finish()
}

/// Whether a character ends a line or rewrites it: controls, line separators and direction marks. All of these lie in the
/// basic plane, so that four hexadecimal digits hold them.
pub(crate) fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// A duration for people, to the millisecond.
pub(crate) struct Rounded(pub(crate) Duration);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        write!(f, "{:?}", Duration::from_millis(milliseconds))
    }
}

#[derive(Default)]
struct Bounded {
    text: String,
    is_full: bool,
}

impl Bounded {
    /// Appends `text`, as far as it fits. A text whose `Display` fails is kept up to that point.
    fn push(&mut self, text: impl fmt::Display) {
        let _ = write!(self, "{text}");
    }

    fn finish(mut self) -> String {
        if self.is_full {
            self.text.push('…');
        }
        self.text
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.is_full {
            return Err(fmt::Error);
        }
        let room = MAX_MESSAGE_LEN - self.text.len();
        if piece.len() <= room {
            self.text.push_str(piece);
            return Ok(());
        }
        let boundary = (0..=room).rev().find(|&at| piece.is_char_boundary(at)).unwrap_or_default();
        self.text.push_str(&piece[..boundary]);
        self.is_full = true;
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use proptest::prelude::*;

    use super::{MAX_MESSAGE_LEN, cut, cut_error};

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
        assert_eq!(cut(Endless), format!("{}…", "é".repeat(MAX_MESSAGE_LEN / 2)));
    }

    /// An error with a text and, perhaps, a cause.
    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Layer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    fn layers(texts: &[&'static str]) -> Layer {
        let (first, causes) = texts.split_first().unwrap();
        let cause = (!causes.is_empty()).then(|| Box::new(layers(causes)));
        Layer(first, cause)
    }

    #[test]
    fn the_causes_of_an_error_follow_it_and_none_is_written_twice() {
        let text = |texts: &[&'static str]| cut_error(&layers(texts));
        assert_eq!(text(&["refused"]), "refused");
        assert_eq!(text(&["query", "connect", "refused"]), "query: connect: refused");
        assert_eq!(text(&["query: refused", "refused"]), "query: refused");
        assert_eq!(text(&["query", "refused", "refused"]), "query: refused");
    }

    #[test]
    fn an_error_with_endless_causes_is_cut() {
        #[derive(Debug)]
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("again and ")
            }
        }
        impl std::error::Error for Endless {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&Endless)
            }
        }
        assert!(cut_error(&Endless).len() < MAX_MESSAGE_LEN);
        let long = "x".repeat(MAX_MESSAGE_LEN).leak();
        let text = cut_error(&layers(&[long, "cause"]));
        assert_eq!(text, format!("{long}…"));
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
