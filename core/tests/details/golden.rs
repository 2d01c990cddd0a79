//! Every document of every state, to the byte. `UPDATE_GOLDEN=1 cargo test -p health-core --features details --test details`
//! writes the files anew.

use std::fs;
use std::path::Path;

use crate::scenes::{READERS, SCENES};
use crate::service::header;

/// The formats with golden files, the ends of their names, and the media type.
pub(crate) const FORMATS: [(&str, &str, &str); 5] = [
    ("json", "json", "application/json"),
    ("health", "json", "application/health+json"),
    ("spring", "json", "application/vnd.spring-boot.actuator.v3+json"),
    ("healthchecks-ui", "json", "application/json"),
    ("verbose", "txt", "text/plain; charset=utf-8"),
];

#[test]
fn every_document_is_as_its_golden_file() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/details/golden");
    let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut differing = Vec::new();
    let mut files = Vec::new();
    for scene in SCENES {
        for (level, authorization) in READERS {
            for (format, end, media_type) in FORMATS {
                let scene = scene();
                let response = scene.get(format, authorization);
                assert_eq!(response.state(), scene.state, "{}", scene.name);
                assert_eq!(header(&response, "content-type").as_deref(), Some(media_type));
                let body = without_chance(response.body());
                let shown = if end == "json" { indented(&body) } else { body };
                let file = format!("{format}/{}.{level}.{end}", scene.name);
                let path = directory.join(&file);
                if is_update {
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(&path, &shown).unwrap();
                } else if fs::read_to_string(&path).ok().as_ref() != Some(&shown) {
                    differing.push(format!("{file} would be:\n{shown}"));
                }
                files.push(path);
            }
        }
    }
    assert!(
        differing.is_empty(),
        "{}\nIf this is intended: UPDATE_GOLDEN=1 cargo test -p health-core --features details --test details",
        differing.join("\n")
    );
    for (format, ..) in FORMATS {
        for entry in fs::read_dir(directory.join(format)).unwrap() {
            let path = entry.unwrap().path();
            assert!(files.contains(&path), "{} is of no scene: delete it", path.display());
        }
    }
}

/// What differs in each process becomes the same: references, and the delay of a recovery.
fn without_chance(body: &str) -> String {
    let mut shown = body.to_owned();
    let mut count = 0;
    for mark in ["\"reference\":\"", "reference "] {
        for reference in body.split(mark).skip(1).filter_map(|rest| rest.get(..7)) {
            if shown.contains(reference) {
                count += 1;
                shown = shown.replace(reference, &format!("ref-{count:03}"));
            }
        }
    }
    for (mark, replaced) in
        [("\"kind\":\"recovery\",\"rest_seconds\":", "1.5"), ("delayed for ", "1.5s")]
    {
        if let Some((before, rest)) = shown.split_once(mark) {
            let end = rest.find(['"', '}', '\n']).unwrap();
            shown = format!("{before}{mark}{replaced}{}", &rest[end..]);
        }
    }
    shown
}

/// JSON with one entry a line, in its own order and with repeated keys, which a parser would hide.
pub(crate) fn indented(json: &str) -> String {
    let mut shown = String::new();
    let (mut depth, mut is_text, mut is_escaped) = (0, false, false);
    let mut before = ' ';
    for c in json.chars() {
        let is_end = !is_text && "}]".contains(c);
        depth -= usize::from(is_end);
        if (is_end && !"{[".contains(before)) || (!is_end && !is_text && "{[,".contains(before)) {
            shown.push_str(&format!("\n{}", "  ".repeat(depth)));
        }
        shown.push(c);
        if c == '"' && !is_escaped {
            is_text = !is_text;
        }
        is_escaped = is_text && c == '\\' && !is_escaped;
        depth += usize::from(!is_text && "{[".contains(c));
        if !is_text && c == ':' {
            shown.push(' ');
        }
        before = if is_text { ' ' } else { c };
    }
    shown + "\n"
}
