//! The result of an indicator in one case.

use std::time::Duration;

use serde_json::json;

use crate::row::Row;

/// What was found out.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    /// As the matrix shows it.
    pub(super) verdict: String,
    pub(super) message: String,
    /// From the fault to the first result that shows it.
    pub(super) detected: Option<Duration>,
    /// From the end of the fault to the first result that shows it.
    pub(super) recovered: Option<Duration>,
    /// The longest test.
    pub(super) longest: Duration,
    /// The connections that were accepted, and the most at the same time.
    pub(super) accepted: u64,
    pub(super) most: u64,
    /// What must not happen.
    pub(super) wrong: Vec<String>,
}

impl Cell {
    pub(super) fn failed(error: &anyhow::Error) -> Self {
        Self { wrong: vec![format!("{error:#}")], ..Self::default() }
    }

    pub(super) fn not_run(why: &str) -> Self {
        Self { verdict: format!("NOT RUN: {why}"), ..Self::default() }
    }

    pub(super) fn describe(&self, row: &Row) -> serde_json::Value {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        json!({
            "verdict": self.verdict,
            "message": self.message,
            "detected": seconds(self.detected),
            "recovered": seconds(self.recovered),
            "longest": self.longest.as_secs_f64(),
            "accepted": self.accepted,
            "most": self.most,
            "row": row.describe(),
            "wrong": self.wrong,
        })
    }
}
