//! The results of a run: one slot for each check, filled once.

use std::sync::Arc;
use std::time::Instant;

use tracing::Span;

use crate::check::Report;

/// See the [module's doc](self).
#[derive(Debug)]
pub(super) struct Table {
    /// Empty once the outcome is known.
    slots: Vec<Slot>,
    /// The number of slots that are not filled.
    open: usize,
    /// No slot before this one waits for a claim.
    next: usize,
    /// The spans of executions under way; empty without a subscriber.
    spans: Vec<(usize, Span)>,
}

#[derive(Debug)]
pub(super) enum Slot {
    Waiting,
    /// Claimed, but not begun: the check may wait for a thread.
    Claimed,
    /// Since then.
    Running(Instant),
    Filled(Arc<[Report]>),
    /// Of a background check: its last result counts at the end of the run.
    Background,
}

impl Table {
    pub(super) fn new(slots: Vec<Slot>) -> Self {
        let is_open = |slot: &&Slot| !matches!(slot, Slot::Filled(_) | Slot::Background);
        Self { open: slots.iter().filter(is_open).count(), slots, next: 0, spans: Vec::new() }
    }

    /// The number of slots that are not filled.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// Claims the next slot whose check is not executed.
    pub(super) fn claim(&mut self) -> Option<usize> {
        let is_waiting = |slot: &Slot| matches!(slot, Slot::Waiting);
        let ahead = self.slots.get(self.next..)?.iter().position(is_waiting)?;
        let slot = self.next + ahead;
        self.slots[slot] = Slot::Claimed;
        self.next = slot + 1;
        Some(slot)
    }

    /// Starts the time of a claimed check.
    pub(super) fn begin(&mut self, slot: usize, start: Instant) {
        if let Some(slot @ Slot::Claimed) = self.slots.get_mut(slot) {
            *slot = Slot::Running(start);
        }
    }

    /// Keeps the span of an execution for the end of it. Returns the span if the slot is filled.
    pub(super) fn keep_span(&mut self, slot: usize, span: Span) -> Option<Span> {
        if self.start(slot).is_none() {
            return Some(span);
        }
        self.spans.push((slot, span));
        None
    }

    /// The span of the execution, if there is one.
    pub(super) fn take_span(&mut self, slot: usize) -> Option<Span> {
        let index = self.spans.iter().position(|(other, _)| *other == slot)?;
        Some(self.spans.swap_remove(index).1)
    }

    /// The time at which the check of an open slot started, `Some(None)` if it has not; `None` for a filled slot.
    pub(super) fn start(&self, slot: usize) -> Option<Option<Instant>> {
        match self.slots.get(slot)? {
            Slot::Waiting | Slot::Claimed => Some(None),
            Slot::Running(start) => Some(Some(*start)),
            Slot::Filled(_) | Slot::Background => None,
        }
    }

    /// All open slots, and when their checks started.
    pub(super) fn unfilled(&self) -> impl Iterator<Item = (usize, Option<Instant>)> {
        (0..self.slots.len()).filter_map(|slot| Some((slot, self.start(slot)?)))
    }

    /// Fills an open slot. Returns whether all slots are filled now.
    pub(super) fn fill(&mut self, slot: usize, reports: Arc<[Report]>) -> bool {
        self.slots[slot] = Slot::Filled(reports);
        self.open -= 1;
        self.open == 0
    }

    /// Takes the reports out of a full table; `None` for a background check.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Option<Arc<[Report]>>> + use<> {
        std::mem::take(&mut self.slots).into_iter().map(|slot| match slot {
            Slot::Filled(reports) => Some(reports),
            Slot::Waiting | Slot::Claimed | Slot::Running(_) | Slot::Background => None,
        })
    }
}
