//! An indicator in one case, with its result.

use super::Place;
use super::cell::Cell;
use super::subject::Subject;
use crate::case::Case;
use crate::row::Row;

/// An indicator in one case, behind its own proxy.
pub(super) struct Entry {
    case: Case,
    subject: anyhow::Result<Subject>,
    cell: Cell,
}

impl Entry {
    /// Makes the indicator, and waits until it passes, unless it is one that cannot.
    pub(super) async fn new(row: &Row, case: Case, place: Place) -> Self {
        Self { case, subject: Subject::new(row, case, place).await, cell: Cell::default() }
    }

    /// Makes the fault, and tests the indicator while it lasts.
    pub(super) async fn during(&mut self) {
        let Ok(subject) = &self.subject else { return };
        if let Err(error) = subject.during(self.case, &mut self.cell).await {
            self.cell.wrong.push(format!("{error:#}"));
        }
    }

    /// Ends the fault, and tests the indicator until it passes.
    pub(super) async fn after(&mut self) {
        let Ok(subject) = &self.subject else { return };
        if let Err(error) = subject.after(self.case, &mut self.cell).await {
            self.cell.wrong.push(format!("{error:#}"));
        }
    }

    pub(super) fn into_cell(self) -> Cell {
        match self.subject {
            Ok(_) => self.cell,
            Err(error) => Cell::failed(&error),
        }
    }
}
