//! What the pages say of the project has to be so.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::collections::BTreeSet;
use std::fs;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use futures::executor::block_on;
use health_conformance::Suite;
use health_core::{Body, Check, Endpoint, Health, HealthConfig, RunChecks, State};

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
fn the_pages_name_the_subject_of_a_sentence() {
    let vague = ["nobody", "somebody", "whoever", "whomever"];
    let mut found = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap().to_lowercase();
        for line in prose(&text) {
            let words = line.split(|c: char| !c.is_alphanumeric());
            found.extend(
                words
                    .filter(|word| vague.contains(word))
                    .map(|word| format!("{}: {word}", page.display())),
            );
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// The suite speaks HTTP/1, cannot tell what a series should be, and does not see into a process.
const NOT_IN_THE_SUITE: [&str; 3] = ["H28 gRPC", "H33 Metrics", "H34 Spans"];

#[test]
fn the_suite_knows_every_rule_of_the_contract_for_http_by_its_title() {
    let contract = fs::read_to_string(root().join("docs/contract.md")).unwrap();
    let written: Vec<_> = contract
        .lines()
        .filter_map(|line| line.strip_prefix("**H")?.split_once(".**"))
        .map(|(title, _)| format!("H{title}"))
        .filter(|title| !NOT_IN_THE_SUITE.contains(&title.as_str()))
        .collect();
    let suite = Suite::builtin().unwrap();
    let known: Vec<_> = suite.rules().map(|rule| format!("{} {}", rule.id, rule.title)).collect();
    assert_eq!(written, known);
}

#[test]
fn the_documents_on_the_page_of_details_are_those_of_the_core() {
    let page = fs::read_to_string(root().join("docs/details.md")).unwrap();
    let examples: Vec<_> = page.split("<!-- golden: ").skip(1).collect();
    assert!(examples.len() > 1, "{page}");
    for example in examples {
        let (file, rest) = example.split_once(" -->\n```").unwrap();
        let (_, rest) = rest.split_once('\n').unwrap();
        let (shown, _) = rest.split_once("```").unwrap();
        let golden = root().join("core/tests/details/golden").join(file);
        assert!(fs::read_to_string(golden).unwrap().contains(shown), "{file}:\n{shown}");
    }
}

type Preset = fn(&'static str) -> Endpoint;

const PRESETS: [(&str, Preset); 9] = [
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

/// The rows of a table of presets: the name, and the cells from the `first` on.
fn rows_of_presets(table: &str, first: usize) -> Vec<(String, Vec<String>)> {
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let rows = rows.filter(|(name, _)| PRESETS.iter().any(|(preset, _)| preset == name));
    rows.map(|(name, cells)| {
        let cells = cells.trim_end_matches(" |").split(" | ");
        (name.to_owned(), cells.skip(first).map(str::to_owned).collect())
    })
    .collect()
}

/// What each preset responds in each of `states`, as `cell` shows it; `None` is a state that it ignores.
fn responses_of_presets(
    states: &[State],
    cell: impl Fn(Option<(u16, Body)>) -> String,
) -> Vec<(String, Vec<String>)> {
    PRESETS
        .iter()
        .map(|(name, preset)| {
            let health = Health::builder().endpoint(preset("/up")).build().unwrap();
            let endpoint = health.at("/up").unwrap();
            let response = |state| {
                let mut responses = endpoint.responses().filter(|(shown, ..)| *shown == state);
                responses.next().map(|(_, status, body)| (status.as_u16(), body))
            };
            let cells = states.iter().map(|state| cell(response(*state)));
            ((*name).to_owned(), cells.collect())
        })
        .collect()
}

#[test]
fn the_table_of_presets_in_the_contract_is_what_the_endpoints_respond() {
    let contract = fs::read_to_string(root().join("docs/contract.md")).unwrap();
    let (_, rule) = contract.split_once("**H16 ").unwrap();
    let (rule, _) = rule.split_once("**H17 ").unwrap();
    let mut responses = responses_of_presets(&State::ALL, |response| match response {
        Some((status, body)) => format!("{status} `{body}`"),
        None => "ignored".to_owned(),
    });
    for ((_, cells), (name, preset)) in responses.iter_mut().zip(PRESETS) {
        let endpoint = match name {
            "liveness" => preset("/up").allow_dependency("database"),
            _ => preset("/up"),
        };
        cells.push(state_after_a_shared_failure(endpoint).to_string());
    }
    assert_eq!(rows_of_presets(rule, 2), responses);
}

/// The state that `endpoint` shows if a shared check fails after its first success.
fn state_after_a_shared_failure(endpoint: Endpoint) -> State {
    let is_first = AtomicBool::new(true);
    let check = Check::new("database", move || {
        ready(if is_first.swap(false, SeqCst) { Ok(()) } else { Err("no route") })
    });
    let endpoint = endpoint.only_checks(["database"]).run_checks(RunChecks::Always);
    let config = HealthConfig::default().with_disablefile("");
    let builder = Health::builder().config(config).register(check.shared());
    let health = builder.endpoint(endpoint).build().unwrap();
    let respond = || block_on(health.at("/up").unwrap().respond(""));
    assert_eq!(respond().state(), State::Ok);
    respond().state()
}

#[test]
fn the_table_of_presets_for_pollers_is_what_the_endpoints_respond() {
    let page = fs::read_to_string(root().join("docs/endpoints.md")).unwrap();
    let responses = responses_of_presets(&State::ALL[1..], |response| match response {
        Some((status, _)) => status.to_string(),
        None => "*ignored*".to_owned(),
    });
    let mut rows = rows_of_presets(&page, 1);
    // The last column is for the poller.
    rows.iter_mut().for_each(|(_, cells)| cells.truncate(5));
    assert_eq!(rows, responses);
}

#[test]
fn the_readme_lists_the_examples_and_minimum_rust_version_of_each_crate() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = readme.split_once("| framework | crate | examples | Rust |").unwrap();
    let (table, _) = section.split_once("\n\n").unwrap();
    let rows: Vec<Vec<_>> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect())
        .collect();
    assert!(rows.len() > 6, "{rows:?}");
    for row in rows {
        let name = row[1].split('`').nth(1).unwrap();
        let directory = match name.strip_prefix("health-").unwrap() {
            "core" => root().join("core"),
            adapter => root().join("adapters").join(adapter),
        };
        let manifest = fs::read_to_string(directory.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some(name));
        assert_eq!(manifest["package"]["rust-version"].as_str(), Some(row[3]), "{name}");
        for example in row[2].split('`').skip(1).step_by(2) {
            let example = directory.join("examples").join(format!("{example}.rs"));
            assert!(example.exists(), "{example:?}");
        }
    }
}

#[test]
fn the_readme_can_be_read_in_one_go() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() < 150, "{} lines", readme.lines().count());
}

#[test]
fn the_table_of_settings_has_every_setting_with_its_variable_and_default() {
    let page = fs::read_to_string(root().join("docs/settings.md")).unwrap();
    let rows: Vec<Vec<_>> = page
        .lines()
        .filter(|line| line.starts_with("| `healthcheck."))
        .map(|row| row.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`'])).collect())
        .collect();
    let keys: Vec<_> = rows.iter().map(|row| row[0]).collect();
    let unknown = HealthConfig::from_pairs([("healthcheck.unknown", "")]).unwrap_err().to_string();
    assert!(unknown.contains(&keys.join(", ")), "{unknown} {keys:?}");
    for row in rows {
        assert_eq!(row[1], row[0].replace('.', "_").to_uppercase());
        if !row[0].contains("NAME") && row[0] != "healthcheck.timeout" {
            let config = HealthConfig::from_pairs([(row[0], row[2])]).unwrap();
            assert_eq!(config, HealthConfig::default());
        }
    }
}

#[test]
fn the_custom_server_is_as_short_as_the_page_says() {
    let example = root().join("core/examples/custom_server.rs");
    let lines = fs::read_to_string(example).unwrap().lines().count();
    let page = fs::read_to_string(root().join("docs/embedding.md")).unwrap();
    assert!(page.contains("in under 90 lines"));
    assert!(lines < 90, "{lines} lines");
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
