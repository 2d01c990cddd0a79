//! A server and its indicators, case by case.

mod cell;
mod entry;
mod subject;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use futures::future::join_all;
use serde_json::json;

use self::cell::Cell;
use self::entry::Entry;
use crate::Key;
use crate::case::Case;
use crate::manager::Manager;
use crate::row::Row;

/// What the manager is asked for to make a fault, and to end it.
pub(crate) type Actions = (&'static [&'static str], &'static [&'static str]);

pub(crate) struct Scene {
    /// The name of the server that the manager knows.
    pub(crate) server: &'static str,
    /// Where the server listens.
    pub(crate) port: u16,
    /// For files that are tested.
    pub(crate) directory: PathBuf,
    pub(crate) key: Key,
    pub(crate) manager: Manager,
    /// What the manager is asked for in some cases, instead of what is usual in them.
    pub(crate) actions: &'static [(Case, Actions)],
    /// Whether the name of a host can be resolved, and not.
    pub(crate) has_names: bool,
    pub(crate) rows: Vec<Row>,
}

/// Where an indicator finds what it tests.
pub(crate) struct Place {
    server: SocketAddr,
    directory: PathBuf,
    key: Key,
    /// The name of the host, which cannot be resolved at first.
    gone: Option<String>,
}

impl Scene {
    /// Tests all indicators at the same time, in one case after the other, and prints the results.
    pub(crate) async fn run(self) {
        for case in Case::ALL {
            let rows: Vec<_> = self.rows.iter().filter(|row| row.cases.contains(&case)).collect();
            if rows.is_empty() {
                continue;
            }
            let outcome = self.cells(case, &rows).await;
            for (index, row) in rows.iter().enumerate() {
                let cell = match &outcome {
                    Ok(cells) => cells.get(index).cloned().unwrap_or_default(),
                    Err(error) => Cell::failed(error),
                };
                let (group, case, cell) = (self.server, case.name(), cell.describe(row));
                println!(
                    "ROW {}",
                    json!({ "group": group, "row": row.name, "case": case, "cell": cell })
                );
            }
        }
    }

    async fn cells(&self, case: Case, rows: &[&Row]) -> anyhow::Result<Vec<Cell>> {
        let own = self.actions.iter().find(|(other, _)| *other == case).map(|(_, actions)| actions);
        let needs_names = case == Case::Gone && own.is_none();
        if needs_names && !self.has_names {
            return Ok(rows.iter().map(|_| Cell::not_run("there is no server of names")).collect());
        }
        let target = |row: &Row| {
            let server = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            let gone = needs_names.then(|| row.host(self.server));
            let (directory, key) = (self.directory.clone(), self.key.clone());
            Place { server, directory, key, gone }
        };
        let entries = rows.iter().map(|row| Entry::new(row, case, target(row)));
        let mut entries: Vec<_> = join_all(entries).await;
        let (on, off) = own.copied().or(case.actions()).unwrap_or_default();
        if !on.is_empty() {
            self.manager.ask(self.server, on).await?;
        }
        join_all(entries.iter_mut().map(Entry::during)).await;
        if needs_names {
            for row in rows {
                self.manager.ask("names", &["add", &row.host(self.server)]).await?;
            }
        }
        if !off.is_empty() {
            self.manager.ask(self.server, off).await?;
        }
        join_all(entries.iter_mut().map(Entry::after)).await;
        Ok(entries.into_iter().map(Entry::into_cell).collect())
    }
}
