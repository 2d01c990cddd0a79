//! Placeholders in the settings, messages and targets of scenarios.

use std::path::{Path, PathBuf};

/// More than any server reads of a request.
const REPEAT_LIMIT: usize = 1 << 20;

/// Where in the fresh directory everybody may write.
pub(crate) fn open(directory: &Path) -> PathBuf {
    directory.join("open")
}

/// Replaces `{dir}`, `{open}`, `{byte:ff}` and `{repeat:x:300}`; other braces are literal.
pub(crate) fn expand(text: &str, directory: &Path) -> Vec<u8> {
    let mut expanded = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, from_brace) = rest.split_at(start);
        expanded.extend_from_slice(before.as_bytes());
        let placeholder = from_brace
            .find('}')
            .and_then(|end| Some((value(&from_brace[1..end], directory)?, end)));
        match placeholder {
            Some((value, end)) => {
                expanded.extend(value);
                rest = &from_brace[end + 1..];
            }
            None => {
                expanded.push(b'{');
                rest = &from_brace[1..];
            }
        }
    }
    expanded.extend_from_slice(rest.as_bytes());
    expanded
}

/// The same for text that has no raw bytes.
pub(crate) fn expand_text(text: &str, directory: &Path) -> String {
    String::from_utf8_lossy(&expand(text, directory)).into_owned()
}

fn value(placeholder: &str, directory: &Path) -> Option<Vec<u8>> {
    let parts: Vec<_> = placeholder.split(':').collect();
    match parts[..] {
        ["dir"] => Some(directory.to_string_lossy().into_owned().into_bytes()),
        ["byte", digits] => Some(vec![u8::from_str_radix(digits, 16).ok()?]),
        ["open"] => Some(open(directory).to_string_lossy().into_owned().into_bytes()),
        ["repeat", text, count] => {
            let count = count.parse().ok().filter(|&count| count <= REPEAT_LIMIT)?;
            Some(text.repeat(count).into_bytes())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::expand;

    #[test]
    fn placeholders_are_replaced_and_other_braces_kept() {
        let expanded = |text| expand(text, Path::new("/d"));
        assert_eq!(expanded("{dir}/m"), b"/d/m");
        assert_eq!(expanded("/health?{byte:ff}x"), b"/health?\xffx");
        assert_eq!(expanded("a{repeat:xy:3}b"), b"axyxyxyb");
        for text in
            ["/{id}", "{", "}", "{}", "{byte:zz}", "{{", "{repeat:x}", "{repeat:x:99999999}"]
        {
            assert_eq!(expanded(text), text.as_bytes());
        }
        assert_eq!(expanded("{ {dir}"), b"{ /d");
    }
}
