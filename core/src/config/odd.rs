//! Detects leftovers of environment files, shells, templates and editors in a value (H11).

/// The likely mistakes in `text`. Each is a clause whose subject is "it".
pub(crate) fn odd_text(text: &str) -> Vec<String> {
    let is_edge = |is_odd: fn(char) -> bool| text.starts_with(is_odd) || text.ends_with(is_odd);
    let invisible = text
        .chars()
        .find(|&c| is_invisible(c))
        .map(|c| format!("it contains the invisible character U+{:04X}", c as u32));
    let unexpanded =
        unexpanded(text).map(|name| format!("it contains `{name}`, which was not expanded"));
    let is_windows_line = text.trim_end_matches('\n').ends_with('\r');
    let clauses = [
        (is_windows_line, "it ends with a carriage return, like a line of a Windows file"),
        (text.ends_with('\n') && !is_windows_line, "it ends with a line break"),
        (is_edge(|c| matches!(c, ' ' | '\t')), "it begins or ends with a blank"),
        (is_edge(is_quote), "it begins or ends with a quote, which is part of the value"),
        (text.starts_with('~'), "it begins with `~`, which only a shell expands"),
        (
            text.contains(" #") || text.contains("\t#"),
            "it contains a `#`, which does not start a comment here",
        ),
        (has_escape(text), "it contains a percent escape, which is not decoded"),
        (text.starts_with("file:"), "it begins with `file:`, which is part of the path"),
        (
            text.starts_with("export ") || text.trim_start().starts_with('='),
            "it begins like a line of a file that sets it",
        ),
    ];
    clauses
        .into_iter()
        .filter(|(is_so, _)| *is_so)
        .map(|(_, clause)| clause.to_owned())
        .chain(invisible)
        .chain(unexpanded)
        .collect()
}

/// Includes the quotes that editors, chats and web pages write.
fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '“' | '”' | '„' | '‘' | '’' | '«' | '»')
}

/// The byte order mark, no-break spaces, and characters without width.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{a0}' | '\u{202f}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
}

/// `%` and two hexadecimal digits.
fn has_escape(text: &str) -> bool {
    text.as_bytes()
        .windows(3)
        .any(|bytes| bytes[0] == b'%' && bytes[1..].iter().all(u8::is_ascii_hexdigit))
}

/// The first placeholder: `$NAME`, `${NAME}`, `$(command)`, `{{ name }}`, `%NAME%`.
fn unexpanded(text: &str) -> Option<&str> {
    let closed = |start: &str, end: &str| {
        let from = text.find(start)?;
        let inner = &text[from + start.len()..];
        let length = inner.find(end)?;
        Some(&text[from..from + start.len() + length + end.len()])
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let bare = || {
        let from = text.find('$')?;
        let rest = &text[from + 1..];
        let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let begins_name = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        begins_name.then(|| &text[from..from + 1 + length])
    };
    let windows = || {
        let placeholder = closed("%", "%")?;
        let name = placeholder.trim_matches('%');
        let is_variable = !name.is_empty() && name.chars().all(is_name);
        is_variable.then_some(placeholder)
    };
    closed("${", "}")
        .or_else(|| closed("$(", ")"))
        .or_else(|| closed("{{", "}}"))
        .or_else(bare)
        .or_else(windows)
}

#[cfg(test)]
mod tests {
    use super::odd_text;

    #[test]
    fn leftovers_of_files_shells_and_templates_are_reported() {
        for (text, said) in [
            ("503\r", "carriage return"),
            ("/run/shop/maintenance\r\n", "carriage return"),
            ("/run/shop/maintenance\n", "line break"),
            ("503 ", "blank"),
            ("\t503", "blank"),
            ("\"503\"", "quote"),
            ("'/run/shop'", "quote"),
            ("“503”", "quote"),
            ("~/maintenance", "`~`"),
            ("503 # unavailable", "comment"),
            ("/run/my%20shop", "percent escape"),
            ("file:///run/shop", "`file:`"),
            ("=503", "line of a file"),
            ("export HEALTHCHECK_URL=/up", "line of a file"),
            ("\u{feff}/run/shop", "U+FEFF"),
            ("503\u{a0}", "U+00A0"),
            ("$HOME/maintenance", "`$HOME`"),
            ("${RUNTIME_DIRECTORY}/maintenance", "`${RUNTIME_DIRECTORY}`"),
            ("/run/${NAME:-shop}/m", "`${NAME:-shop}`"),
            ("$(cat code)", "`$(cat code)`"),
            ("/run/{{ name }}/maintenance", "`{{ name }}`"),
            ("%TEMP%\\maintenance", "`%TEMP%`"),
        ] {
            let odd = odd_text(text);
            let is_said = odd.iter().any(|clause| clause.contains(said));
            assert!(is_said, "{text:?}: {odd:?} lacks {said}");
        }
    }

    #[test]
    fn plausible_paths_urls_and_codes_are_not_odd() {
        for text in [
            "",
            "503",
            "/health",
            "/",
            "/run/shop/maintenance",
            "/srv/my shop/maintenance",
            "/srv/50%/a",
            "/srv/c#/maintenance",
            "/srv/o'neill/maintenance",
            "/srv/a~1/maintenance",
            "/srv/$/maintenance",
            "/health$",
            "/a$1",
            "C:\\shop\\maintenance",
            "on_request",
            "500ms",
        ] {
            assert_eq!(odd_text(text), [""; 0], "{text:?}");
        }
    }
}
