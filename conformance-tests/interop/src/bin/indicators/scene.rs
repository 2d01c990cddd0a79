//! A server and its indicators, case by case.

mod entry;

use std::net::{Ipv4Addr, SocketAddr};

use futures::future::join_all;
use serde_json::json;

use self::entry::{Cell, Entry};
use crate::case::Case;
use crate::manager::Manager;
use crate::row::Row;

/// What undoes or makes a fault that is neither of the network nor in each server.
pub(crate) type Actions = (&'static [&'static str], &'static [&'static str]);

pub(crate) struct Scene {
    /// The name of the server that the manager knows.
    pub(crate) server: &'static str,
    /// Where the server listens.
    pub(crate) port: u16,
    pub(crate) manager: Manager,
    /// How the server gets to accept no writes, and back.
    pub(crate) no_writes: Option<Actions>,
    /// Whether the name of a host can be resolved, and not.
    pub(crate) has_names: bool,
    pub(crate) rows: Vec<Row>,
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
                    Ok(cells) => cells.get(index).cloned(),
                    Err(error) => Some(Cell::failed(error)),
                };
                let group = self.server;
                let cell = cell.map(|cell| cell.describe());
                println!(
                    "ROW {}",
                    json!({ "group": group, "row": row.name, "case": case.name(), "cell": cell })
                );
            }
        }
    }

    async fn cells(&self, case: Case, rows: &[&Row]) -> anyhow::Result<Vec<Cell>> {
        if case == Case::Gone && !self.has_names {
            return Ok(rows.iter().map(|_| Cell::not_run("there is no server of names")).collect());
        }
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let entries = rows.iter().map(|row| Entry::new(self.server, row, case, server));
        let mut entries: Vec<_> = join_all(entries).await;
        let (on, off) = match case {
            Case::NoWrites => self.no_writes.unwrap_or_default(),
            case => case.actions().unwrap_or_default(),
        };
        if !on.is_empty() {
            self.manager.ask(self.server, on).await?;
        }
        join_all(entries.iter_mut().map(Entry::during)).await;
        if case == Case::Gone {
            let names = entries.iter().filter_map(Entry::name);
            for name in names {
                self.manager.ask("names", &["add", &name]).await?;
            }
        }
        if !off.is_empty() {
            self.manager.ask(self.server, off).await?;
        }
        join_all(entries.iter_mut().map(Entry::after)).await;
        Ok(entries.into_iter().map(Entry::into_cell).collect())
    }
}
