//! Log records (H8, H18, H21).

use serde_json::{Map, Value};

use super::refusal::says;
use super::results::{Expected, expected};
use super::{Asked, Mismatch};
use crate::judge::history::History;
use crate::scenario::Answer;
use crate::setup::Setup;
use crate::target::journal::Line;

const DISABLEFILE: &str = "healthcheck.disablefile";

/// H8, and the warnings of H4.
pub(super) fn judge_log(
    asked: &Asked<'_>,
    answers: &[Answer],
    lines: &[Line],
    mismatches: &mut Vec<Mismatch>,
) {
    judge_warnings(
        "log records at WARN",
        asked.expected_warnings(),
        asked.setup,
        lines,
        mismatches,
    );

    let records: Vec<(&str, &str)> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Log { level, text } if !is_warning(level, text) => {
                Some((level.as_str(), text.as_str()))
            }
            _ => None,
        })
        .collect();
    let recorded = asked.recorded(answers);
    if records.len() != recorded.len() {
        let expected = match recorded.first() {
            Some(answer) => {
                let record = expected_record(*answer, asked.history);
                format!("{} of: {record}", recorded.len())
            }
            None => "no record".to_owned(),
        };
        mismatches.push(Mismatch::new("log", expected, format!("{records:?}")));
        return;
    }
    for (answer, (level, text)) in recorded.into_iter().zip(records) {
        let expected = expected_record(answer, asked.history);
        match (answer, level) {
            (Answer::Error, "ERROR") => judge_results("ERROR", text, asked, mismatches),
            (Answer::Degraded, "WARN") => judge_results("DEGRADED", text, asked, mismatches),
            _ if format!("{level} {text}") == expected => {}
            _ => {
                let got = format!("{level} {text}");
                mismatches.push(Mismatch::new("log", expected, got));
            }
        }
    }
}

/// Level and text of the record of a response.
pub(crate) fn expected_record(answer: Answer, history: &History) -> String {
    let record = match answer {
        Answer::Maintenance => "INFO Health response: MAINTENANCE",
        Answer::Draining => "INFO Health response: DRAINING",
        Answer::Starting => {
            let held = Value::from(history.held());
            return format!("INFO Health response: STARTING ({held})");
        }
        Answer::Degraded => "WARN Health response: DEGRADED (RESULTS)",
        Answer::Error => "ERROR Health response: ERROR (RESULTS)",
        _ => "INFO Health response: OK",
    };
    record.to_owned()
}

/// Whether a record belongs to no response: a warning about the disablefile.
fn is_warning(level: &str, text: &str) -> bool {
    level == "WARN" && !text.starts_with("Health response: ")
}

/// The number of records at WARN, each of which has to name the disablefile, the key of another setting or a check.
pub(crate) fn judge_warnings(
    field: &str,
    (fewest, most): (usize, usize),
    setup: &Setup,
    lines: &[Line],
    mismatches: &mut Vec<Mismatch>,
) {
    let warnings: Vec<&str> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Log { level, text } if is_warning(level, text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    if !(fewest..=most).contains(&warnings.len()) {
        let (expected, got) = (fewest.to_string(), format!("{warnings:?}"));
        mismatches.push(Mismatch::new(field, expected, got));
    }
    let disablefile = setup.settings.get(DISABLEFILE).map_or("/tmp/maintenance", String::as_str);
    let others: Vec<_> = setup.settings.keys().filter(|key| *key != DISABLEFILE).collect();
    for warning in warnings {
        if !says(warning, disablefile)
            && !others.iter().any(|key| says(warning, key))
            && !setup.checks.iter().any(|check| says(warning, &check.name))
        {
            mismatches.push(Mismatch::new(
                field,
                format!(
                    "a warning that contains {disablefile:?}, the key of another setting or the name of a check"
                ),
                warning,
            ));
        }
    }
}

/// The text of a record against the checks, in registration order.
fn judge_results(word: &str, text: &str, asked: &Asked<'_>, mismatches: &mut Vec<Mismatch>) {
    let mut differ = |field: &str, expected: &str, got: &str| {
        mismatches.push(Mismatch::new(field, expected, got));
    };
    if let Some(control) = text.chars().find(|character| character.is_control()) {
        differ("log text", "no control character", &format!("{control:?}"));
    }
    let results = text
        .strip_prefix(&*format!("Health response: {word} ("))
        .and_then(|rest| rest.strip_suffix(')'));
    let Some(results) = results else {
        let record = format!("Health response: {word} (RESULTS)");
        return differ("log text", &record, text);
    };
    if has_space_between_tokens(results) {
        differ("log results", "compact JSON", results);
    }
    let Ok(results) = serde_json::from_str::<Vec<Map<String, Value>>>(results) else {
        return differ("log results", "a JSON array of objects", results);
    };
    let past = asked.history.past();
    let expected: Vec<Expected<'_>> = expected(asked.step, asked.setup, &past);
    if results.len() != expected.len() {
        let (expected, got) = (expected.len().to_string(), results.len().to_string());
        differ("log number of results", &expected, &got);
    }
    for (index, (result, expected)) in results.iter().zip(expected).enumerate() {
        if !expected.is_met_by(result) {
            let field = format!("log result {}", index + 1);
            let got = Value::Object(result.clone()).to_string();
            differ(&field, &expected.to_string(), &got);
        }
    }
}

fn has_space_between_tokens(json: &str) -> bool {
    let (mut in_string, mut escaped) = (false, false);
    json.chars().any(|character| {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = in_string,
            '"' => in_string = !in_string,
            _ => return !in_string && character.is_whitespace(),
        }
        false
    })
}
