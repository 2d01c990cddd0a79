//! The results of a run: one slot for each check, filled once.

use super::execution::TimeBudget;
use crate::check::Report;

/// See the [module's doc](self).
#[derive(Debug)]
pub(super) struct Table {
    /// Empty once the outcome was made of them.
    slots: Vec<Slot>,
    /// Slots that are not filled.
    open: usize,
    /// The first slot that was not looked at for a claim.
    next: usize,
}

#[derive(Debug)]
pub(super) enum Slot {
    Waiting,
    /// Claimed; not begun yet where it waits for a thread.
    Claimed,
    Running(TimeBudget),
    Filled(Vec<Report>),
}

impl Table {
    pub(super) fn new(slots: Vec<Slot>) -> Self {
        let is_open = |slot: &&Slot| !matches!(slot, Slot::Filled(_));
        Self {
            open: slots.iter().filter(is_open).count(),
            slots,
            next: 0,
        }
    }

    /// How many slots are not filled.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// The next slot whose check nobody executes; it is the caller's now.
    pub(super) fn claim(&mut self) -> Option<usize> {
        let is_waiting = |slot: &Slot| matches!(slot, Slot::Waiting);
        let ahead = self.slots.get(self.next..)?.iter().position(is_waiting)?;
        let slot = self.next + ahead;
        self.slots[slot] = Slot::Claimed;
        self.next = slot + 1;
        Some(slot)
    }

    /// From here on the time of a claimed check runs.
    pub(super) fn begin(&mut self, slot: usize, budget: TimeBudget) {
        if let Some(slot @ Slot::Claimed) = self.slots.get_mut(slot) {
            *slot = Slot::Running(budget);
        }
    }

    /// The time that the check of an open slot has, and `None` if that does not run yet; nothing for a slot that
    /// is filled.
    pub(super) fn budget(&self, slot: usize) -> Option<Option<TimeBudget>> {
        match self.slots.get(slot)? {
            Slot::Waiting | Slot::Claimed => Some(None),
            Slot::Running(budget) => Some(Some(*budget)),
            Slot::Filled(_) => None,
        }
    }

    /// All open slots, as [`Table::budget`].
    pub(super) fn unfilled(&self) -> impl Iterator<Item = (usize, Option<TimeBudget>)> {
        (0..self.slots.len()).filter_map(|slot| Some((slot, self.budget(slot)?)))
    }

    /// Fills an open slot; whether all are filled now.
    pub(super) fn fill(&mut self, slot: usize, reports: Vec<Report>) -> bool {
        self.slots[slot] = Slot::Filled(reports);
        self.open -= 1;
        self.open == 0
    }

    /// What a full table holds, and from now on no longer.
    pub(super) fn take(&mut self) -> Vec<Vec<Report>> {
        let slots = std::mem::take(&mut self.slots).into_iter();
        let reports = slots.map(|slot| match slot {
            Slot::Filled(reports) => reports,
            Slot::Waiting | Slot::Claimed | Slot::Running(_) => Vec::new(),
        });
        reports.collect()
    }
}
