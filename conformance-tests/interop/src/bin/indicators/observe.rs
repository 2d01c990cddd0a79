//! Tests of an indicator, one after the other, as an endpoint does.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use health_core::{Check, Health, Status};

/// A check, and the health endpoint that executes it.
pub(crate) struct Observed(Health);

/// The result of one test.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) status: Status,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) took: Duration,
}

impl Observed {
    pub(crate) fn new(check: Check) -> anyhow::Result<Self> {
        Ok(Self(Health::builder().register(check).build()?))
    }

    pub(crate) async fn test(&self) -> anyhow::Result<Seen> {
        let start = Instant::now();
        self.0.respond("checks=all").await;
        let took = start.elapsed();
        let results = self.0.last_results();
        let finished = results.first().context("the check was not executed")?;
        let report = finished.reports.first().context("the check reported nothing")?;
        Ok(Seen {
            status: report.status(),
            reason: report.reason().unwrap_or("–").to_owned(),
            message: report.message().unwrap_or_default().to_owned(),
            took,
        })
    }
}

impl Seen {
    pub(crate) fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// As the matrix shows it.
    pub(crate) fn verdict(&self) -> String {
        match self.status {
            Status::Ok => "OK".to_owned(),
            Status::Degraded => format!("degraded: `{}`", self.reason),
            _ => format!("`{}`", self.reason),
        }
    }
}
