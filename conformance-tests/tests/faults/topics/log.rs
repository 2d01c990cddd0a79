//! H8: the log.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::fault::{answer, faults, level, records, results, to};

faults! {
    /// Checks that pass are logged.
    PassIsLogged: "log/ok-is-silent", "healthy/passing-checks" => to(|answer, request, _| {
        if request.asks() && answer.is("OK") && answer.records.is_empty() {
            answer.log("INFO", "Health response: OK");
        }
    });
    /// Maintenance is logged once, not for each response.
    MaintenanceLoggedOnce: "log/maintenance" => {
        let is_logged = AtomicBool::new(false);
        records(move |records| {
            records.retain(|record| record.state() != Some("MAINTENANCE") || !is_logged.swap(true, Relaxed));
        })
    };
    /// Maintenance is logged at WARN.
    MaintenanceAtWarn: "log/maintenance" => level("MAINTENANCE", "WARN");
    /// Two records for an error.
    ErrorLoggedTwice: "log/error-with-all-results" => answer(|answer| {
        if answer.is("ERROR") {
            answer.records.extend(answer.records.clone());
        }
    });
    /// An error is not logged.
    ErrorNotLogged: "log/error-with-all-results" =>
        records(|records| records.retain(|record| record.state() != Some("ERROR")));
    /// Only failures are logged.
    PassesNotListed: "log/error-with-all-results" =>
        results(|rows, _, _| rows.retain(|row| row.status != "OK"));
    /// JSON with spaces.
    JsonIsWide: "log/error-with-all-results" => records(|records| {
        for record in records {
            record.text = record.text.replace("},{", "}, {");
        }
    });
    /// A message that is absent is logged as an empty one.
    AbsentMessageEmpty: "log/error-with-all-results" => results(|rows, _, _| {
        for row in rows {
            row.message.get_or_insert_default();
        }
    });
    /// A message that is empty is logged as an absent one.
    EmptyMessageAbsent: "log/empty-message" => results(|rows, _, _| {
        for row in rows {
            row.message = row.message.take().filter(|message| !message.is_empty());
        }
    });
    /// Only C0 is escaped, as JSON requires.
    OnlyC0Escaped: "log/control-characters" => records(|records| {
        for record in records {
            for raw in '\u{7f}'..='\u{9f}' {
                let escaped = format!("\\u{:04x}", u32::from(raw));
                record.text = record.text.replace(&escaped, &raw.to_string());
            }
        }
    });
    /// Messages are not cut.
    MessagesNotCut: "log/long-messages" => results(|rows, _, correct| {
        for (row, check) in rows.iter_mut().zip(&correct.setup.checks) {
            row.message.clone_from(&check.message);
        }
    });
    /// A cut has no mark.
    CutHasNoMark: "log/long-messages" => results(|rows, _, _| {
        for message in rows.iter_mut().filter_map(|row| row.message.as_mut()) {
            *message = message.trim_end_matches('…').to_owned();
        }
    });
    /// Messages are cut one byte early.
    CutIsEarly: "log/long-messages" => results(|rows, _, _| {
        for message in rows.iter_mut().filter_map(|row| row.message.as_mut()) {
            if let Some(text) = message.strip_suffix('…') {
                let end = text.char_indices().last().map_or(0, |(at, _)| at);
                *message = format!("{}…", &text[..end]);
            }
        }
    });
    /// Responses to HEAD are not logged.
    HeadNotLogged: "log/head-is-logged-alike" => to(|answer, request, _| {
        if request.method == "HEAD" {
            answer.records.clear();
        }
    });
}
