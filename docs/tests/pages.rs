//! What the pages say of the project has to be so.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use health_conformance::Suite;
use health_core::{Endpoint, Health, State};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every page of the project.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut directories = vec![root()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let is_skipped = path.ends_with("target") || path.ends_with(".git");
            if path.is_dir() && !is_skipped {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

/// The lines of a page outside of its code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The headings and the explicit anchors of a page, as a link would name them.
fn anchors(page: &str) -> Vec<String> {
    let headings = prose(page)
        .filter_map(|line| Some(line.strip_prefix('#')?.trim_start_matches('#').trim()))
        .map(|heading| {
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        });
    let explicit = prose(page)
        .filter_map(|line| line.strip_prefix("<a id=\"")?.split_once('"'))
        .map(|(id, _)| id.to_owned());
    headings.chain(explicit).collect()
}

#[test]
fn every_link_inside_the_project_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for line in prose(&text) {
            for link in line.split("](").skip(1) {
                let target = link.split(')').next().unwrap();
                if target.starts_with("https://") {
                    continue;
                }
                let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
                let path = match path {
                    "" => page.clone(),
                    path => page.parent().unwrap().join(path),
                };
                let linked = fs::read_to_string(&path).unwrap_or_default();
                let is_found = match anchor {
                    "" => path.exists(),
                    anchor => anchors(&linked).contains(&anchor.to_owned()),
                };
                if !is_found {
                    broken.push(format!("{}: {target}", page.display()));
                }
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_suite_knows_every_rule_of_the_contract_by_its_title() {
    let contract = fs::read_to_string(root().join("docs/contract.md")).unwrap();
    let written: Vec<_> = contract
        .lines()
        .filter_map(|line| line.strip_prefix("**H")?.split_once(".**"))
        .map(|(title, _)| format!("H{title}"))
        .collect();
    let suite = Suite::builtin().unwrap();
    let known: Vec<_> = suite.rules().map(|rule| format!("{} {}", rule.id, rule.title)).collect();
    assert_eq!(written, known);
}

#[test]
fn the_table_of_presets_in_the_contract_is_what_the_endpoints_answer() {
    type Preset = fn(&'static str) -> Endpoint;
    let presets: [(&str, Preset); 9] = [
        ("pyramid", Endpoint::pyramid),
        ("strict", Endpoint::strict),
        ("liveness", Endpoint::liveness),
        ("readiness", Endpoint::readiness),
        ("startup", Endpoint::startup),
        ("haproxy_404", Endpoint::haproxy_404),
        ("consul", Endpoint::consul),
        ("nagios", Endpoint::nagios),
        ("envoy", Endpoint::envoy),
    ];
    let contract = fs::read_to_string(root().join("docs/contract.md")).unwrap();
    let (_, rule) = contract.split_once("**H16 ").unwrap();
    let (rule, _) = rule.split_once("**H17 ").unwrap();
    let rows = rule.lines().filter_map(|line| line.strip_prefix("| `"));
    let written: Vec<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.trim_end_matches(" |").split(" | ").collect();
            let preset = cells[0].trim_end_matches('`');
            (preset.to_owned(), cells[3..].join(" | "))
        })
        .collect();
    let answered = presets.map(|(name, preset)| {
        let health = Health::builder().endpoint(preset("/up")).build().unwrap();
        let endpoint = health.at("/up").unwrap();
        let cell = |state: State| {
            let mut answers = endpoint.responses();
            let answer = answers.find(|(shown, ..)| *shown == state);
            answer.map_or("ignored".to_owned(), |(_, code, word)| {
                format!("{} `{word}`", code.as_u16())
            })
        };
        (name.to_owned(), State::ALL.map(cell).join(" | "))
    });
    assert_eq!(written, answered);
}

#[test]
fn the_custom_server_is_as_short_as_the_readme_says() {
    let example = root().join("core/examples/custom_server.rs");
    let lines = fs::read_to_string(example).unwrap().lines().count();
    assert!(lines < 80, "{lines} lines");
}

#[test]
fn the_original_is_known_to_differ_in_the_rows_of_the_contract_and_in_nothing_else() {
    let contract = fs::read_to_string(root().join("docs/contract.md")).unwrap();
    let (_, section) = contract.split_once("## Differences from pyramid_health").unwrap();
    let (table, _) = section.split_once("\n## ").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let rows: BTreeSet<_> = rows.map(|(row, _)| row).skip(1).collect();
    let known = root().join("conformance-tests/testees/pyramid_health/known.toml");
    let known = fs::read_to_string(known).unwrap();
    let groups = known.lines().filter_map(|line| line.strip_prefix("# Row: "));
    let groups: BTreeSet<_> = groups.collect();
    assert_eq!(groups, rows);
}
