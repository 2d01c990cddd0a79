//! The names that an error or a warning about an unknown name lists.

use std::fmt;

/// The first 20 names, as a clause.
pub(crate) struct List<'a>(pub(crate) &'a str, pub(crate) &'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 20;
        let Self(what, names) = self;
        let Some((first, others)) = names.split_first() else {
            return write!(f, "there are no {what}");
        };
        write!(f, "the {what} are {first:?}")?;
        for name in others.iter().take(MOST - 1) {
            write!(f, ", {name:?}")?;
        }
        match names.len().checked_sub(MOST) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::List;

    #[test]
    fn a_list_of_names_is_a_sentence_of_bounded_length() {
        let list = |count: usize| {
            let names: Vec<_> = (1..=count).map(|number| format!("c{number}")).collect();
            List("checks", &names).to_string()
        };
        assert_eq!(list(0), "there are no checks");
        assert_eq!(list(1), r#"the checks are "c1""#);
        assert_eq!(list(2), r#"the checks are "c1", "c2""#);
        assert!(list(20).ends_with(r#", "c20""#));
        assert!(list(22).ends_with(r#", "c20" and 2 more"#));
    }
}
