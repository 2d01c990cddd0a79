//! What is remembered of a check for its details: the latest executions, and since when it has its status.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::check::{Reference, References};
use crate::check::{Report, Status, gravest};
use crate::details::Sample;

/// How many executions are remembered.
const CAPACITY: usize = 60;

/// See the [module's doc](self).
#[derive(Debug)]
pub(crate) struct CheckHistory {
    references: Arc<References>,
    latest: VecDeque<Sample>,
    /// The status, and the end of the execution since which the check has it.
    since: Option<(Status, Instant)>,
    last_ok: Option<Instant>,
    /// The end of the last execution, and its duration.
    last: Option<(Instant, Duration)>,
    /// Of the time since which it is not OK.
    reference: Option<Reference>,
}

impl CheckHistory {
    pub(super) fn new(references: Arc<References>) -> Self {
        Self {
            references,
            latest: VecDeque::with_capacity(CAPACITY),
            since: None,
            last_ok: None,
            last: None,
            reference: None,
        }
    }

    /// Remembers an execution that ended `now`, and gives those of its results that are not OK the reference. One that could not
    /// begin has no `duration`, and is not among the latest.
    pub(super) fn add(
        &mut self,
        reports: Vec<Report>,
        duration: Option<Duration>,
        now: Instant,
    ) -> Vec<Report> {
        let status = gravest(&reports);
        if let Some(duration) = duration {
            if self.latest.len() == CAPACITY {
                self.latest.pop_front();
            }
            self.latest.push_back(Sample { status, duration });
            self.last = Some((now, duration));
        }
        if self.since.is_none_or(|(before, _)| before != status) {
            self.since = Some((status, now));
        }
        if status == Status::Ok {
            self.last_ok = Some(now);
            self.reference = None;
            return reports;
        }
        let reference = *self.reference.get_or_insert_with(|| self.references.next());
        let refer = |report: Report| match report.status() {
            Status::Ok => report,
            Status::Degraded | Status::Error => report.with_reference(reference),
        };
        reports.into_iter().map(refer).collect()
    }

    /// The latest executions, the oldest first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = Sample> {
        self.latest.iter().copied()
    }

    /// Since when the check has `status`; `None` if its last result had another.
    pub(crate) fn since(&self, status: Option<Status>) -> Option<Instant> {
        self.since.filter(|(last, _)| Some(*last) == status).map(|(_, since)| since)
    }

    /// The end of the last execution, and its duration.
    pub(crate) fn last(&self) -> Option<(Instant, Duration)> {
        self.last
    }

    pub(crate) fn last_ok(&self) -> Option<Instant> {
        self.last_ok
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{CAPACITY, CheckHistory};
    use crate::check::References;
    use crate::check::{Report, Status};

    struct Recorded {
        history: CheckHistory,
        start: Instant,
        seconds: u64,
    }

    impl Recorded {
        fn new() -> Self {
            let history = CheckHistory::new(Arc::new(References::new()));
            Self { history, start: Instant::now(), seconds: 0 }
        }

        /// Returns the references of the results.
        fn add(&mut self, statuses: &[Status]) -> Vec<Option<String>> {
            self.seconds += 1;
            let reports = statuses.iter().map(|status| Report::new("check", *status, None));
            let now = self.start + Duration::from_secs(self.seconds);
            let duration = Some(Duration::from_millis(5));
            let reports = self.history.add(reports.collect(), duration, now);
            reports.iter().map(|report| report.reference().map(|r| r.to_string())).collect()
        }

        fn seconds_of(&self, time: Option<Instant>) -> Option<u64> {
            time.map(|time| (time - self.start).as_secs())
        }
    }

    #[test]
    fn a_failure_keeps_its_reference_until_the_check_is_ok_again() {
        let mut recorded = Recorded::new();
        assert_eq!(recorded.add(&[Status::Ok]), [None]);
        let first = recorded.add(&[Status::Ok, Status::Error, Status::Degraded]);
        assert_eq!(first[0], None);
        assert!(first[1].is_some() && first[1] == first[2]);
        assert_eq!(recorded.add(&[Status::Degraded]), [first[1].clone()]);
        recorded.add(&[]);
        let second = recorded.add(&[Status::Error]);
        assert!(second[0].is_some() && second[0] != first[1]);
    }

    #[test]
    fn a_check_has_its_status_since_it_changed() {
        let mut recorded = Recorded::new();
        assert_eq!(recorded.history.since(None), None);
        for (status, since, last_ok) in [
            (Status::Error, 1, None),
            (Status::Error, 1, None),
            (Status::Ok, 3, Some(3)),
            (Status::Ok, 3, Some(4)),
            (Status::Degraded, 5, Some(4)),
            (Status::Error, 6, Some(4)),
        ] {
            recorded.add(&[status]);
            assert_eq!(recorded.seconds_of(recorded.history.since(Some(status))), Some(since));
            assert_eq!(recorded.seconds_of(recorded.history.last_ok()), last_ok);
        }
    }

    #[test]
    fn a_status_that_the_last_execution_did_not_have_has_no_time() {
        let mut recorded = Recorded::new();
        recorded.add(&[Status::Ok]);
        assert_eq!(recorded.history.since(Some(Status::Error)), None, "a stale result");
    }

    #[test]
    fn an_execution_that_could_not_begin_is_not_among_the_latest() {
        let mut recorded = Recorded::new();
        recorded.add(&[Status::Error]);
        let last = recorded.history.last();
        let report = Report::new("check", Status::Error, None);
        let later = recorded.start + Duration::from_secs(60);
        let reports = recorded.history.add(vec![report], None, later);
        assert!(reports[0].reference().is_some());
        assert_eq!(recorded.history.latest().count(), 1);
        assert_eq!(recorded.history.last(), last);
    }

    #[test]
    fn the_latest_executions_are_remembered_in_order() {
        let mut recorded = Recorded::new();
        for number in 0..CAPACITY + 2 {
            recorded.add(&[if number < 3 { Status::Error } else { Status::Ok }]);
        }
        let statuses: Vec<_> = recorded.history.latest().map(|sample| sample.status).collect();
        assert_eq!(statuses.len(), CAPACITY);
        assert_eq!(statuses[..2], [Status::Error, Status::Ok]);
    }
}
