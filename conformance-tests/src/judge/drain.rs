//! The end of a drain (H27). On a busy machine, everything may come late, but nothing early.

use std::time::{Duration, Instant};

use super::Mismatch;
use crate::scenario::{Client, DrainEnd, Step};
use crate::setup::Drain;
use crate::target::journal::DrainTimes;

/// The time that a poller has to act on the last draining response that it needed.
const REACTION: Duration = Duration::from_secs(1);

/// What the suite has seen of a drain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observed<'a> {
    pub(crate) times: DrainTimes,
    /// Not later than the drain began.
    pub(crate) began: Instant,
    /// Not later than the last poll arrived.
    pub(crate) last_poll: Option<Instant>,
    /// The same for each poll of a poller, after the last one of the step before.
    pub(crate) polls: &'a [Instant],
}

/// Judges what becomes of a drain after a step.
pub(crate) fn judge_drain(
    step: &Step,
    end: DrainEnd,
    setup: Drain,
    observed: Observed<'_>,
) -> Option<Mismatch> {
    let Observed { times, began, last_poll, polls } = observed;
    let field = |expected: String, got: String| Some(Mismatch::new("drain", expected, got));
    let drained = match (end, times.drained) {
        (DrainEnd::Lasts, None) => return None,
        (DrainEnd::Lasts, Some(_)) => return field("it has not ended".into(), "DRAINED".into()),
        (_, None) => return field("DRAINED".into(), "it has not ended".into()),
        (_, Some(drained)) => drained,
    };
    let mut earliest = vec![(began, setup.at_least, "after its beginning")];
    match (end, times.deadline) {
        (DrainEnd::EndsAtMaximum, None) => {
            return field("DEADLINE".into(), "DRAINED without DEADLINE".into());
        }
        (DrainEnd::EndsAtMaximum, Some(deadline)) => {
            let early = deadline.saturating_duration_since(began);
            if early < setup.longest() {
                let expected = format!("DEADLINE after {:?} or later", setup.longest());
                return field(expected, format!("after {early:?}"));
            }
            earliest.push((began, setup.longest(), "after its beginning"));
        }
        (_, _) => {
            let took = drained.saturating_duration_since(began);
            if setup.at_most.is_some_and(|at_most| took >= at_most) {
                return field("DRAINED before the maximum".into(), format!("after {took:?}"));
            }
        }
    }
    if let (Some(time), Some(poll)) = (step.after_poll, last_poll) {
        earliest.push((poll, time, "after the last poll"));
    }
    // If this machine was slow, a poller may have seemed gone.
    if step.client == Client::Polls && is_steady(polls, drained) {
        let threshold = setup.told();
        match polls.get(threshold) {
            None => {
                let told = polls.len().saturating_sub(1);
                return field(
                    format!("a poller is told {threshold} times"),
                    format!("{told} times"),
                );
            }
            Some(last) => {
                earliest.push((*last, REACTION, "after the last draining response needed"))
            }
        }
    }
    let early = earliest.into_iter().find_map(|(since, time, words)| {
        let took = drained.saturating_duration_since(since);
        (took < time).then(|| (format!("DRAINED {time:?} {words} or later"), took))
    });
    let (expected, took) = early?;
    field(expected, format!("after {took:?}"))
}

/// Whether a poller came back before it could seem gone.
fn is_steady(polls: &[Instant], drained: Instant) -> bool {
    let next = polls.iter().skip(1).chain([&drained]);
    polls.iter().zip(next).all(|(poll, next)| next.saturating_duration_since(*poll) < REACTION)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Observed, judge_drain};
    use crate::scenario::Step;
    use crate::setup::Setup;
    use crate::target::journal::DrainTimes;

    /// The mismatch after a drain of 100 ms to 5 s; times are in milliseconds after its beginning.
    fn judged(
        step: &str,
        drained: Option<u64>,
        deadline: Option<u64>,
        polls: &[u64],
    ) -> Option<String> {
        let step: Step = toml::from_str(&format!("response = 'draining'\n{step}")).unwrap();
        let setup: Setup =
            serde_json::from_str(r#"{"drain":{"at_least":100,"at_most":5000}}"#).unwrap();
        let began = Instant::now();
        let at = |time: u64| began + Duration::from_millis(time);
        let polls: Vec<_> = polls.iter().copied().map(at).collect();
        let times = DrainTimes { drained: drained.map(at), deadline: deadline.map(at) };
        let last_poll = polls.last().copied();
        let observed = Observed { times, began, last_poll, polls: &polls };
        let mismatch = judge_drain(&step, step.drain.unwrap(), setup.drain.unwrap(), observed);
        mismatch.map(|mismatch| mismatch.expected)
    }

    #[test]
    fn a_drain_lasts_as_long_as_it_has_to() {
        assert_eq!(judged("drain = 'lasts'", None, None, &[]), None);
        let ended = judged("drain = 'lasts'", Some(9000), None, &[]);
        assert_eq!(ended.unwrap(), "it has not ended");
        assert_eq!(judged("drain = 'ends'", Some(100), None, &[]), None);
        for drained in [None, Some(99), Some(5000)] {
            assert!(judged("drain = 'ends'", drained, None, &[]).is_some(), "{drained:?}");
        }
    }

    #[test]
    fn at_the_maximum_the_application_is_told() {
        let end = "drain = 'ends-at-maximum'";
        assert_eq!(judged(end, Some(5000), Some(5001), &[]), None);
        for (drained, deadline) in
            [(Some(5000), None), (Some(4999), Some(5000)), (Some(5000), Some(4999))]
        {
            assert!(judged(end, drained, deadline, &[]).is_some(), "{drained:?} {deadline:?}");
        }
    }

    #[test]
    fn a_poller_is_told_three_times_and_has_a_second() {
        let end = "drain = 'ends'\nclient = 'polls'";
        let polls = [0, 300, 600, 900, 1200, 1500, 1800];
        assert_eq!(judged(end, Some(1900), None, &polls), None);
        let early = judged(end, Some(1899), None, &polls).unwrap();
        assert_eq!(early, "DRAINED 1s after the last draining response needed or later");
        assert!(judged(end, Some(700), None, &polls[..3]).is_some());
        // It seemed gone.
        assert_eq!(judged(end, Some(1700), None, &polls[..3]), None);
    }

    #[test]
    fn a_client_is_waited_for_after_its_last_poll() {
        let end = "drain = 'ends'\nafter_poll = 1000";
        assert_eq!(judged(end, Some(1200), None, &[200]), None);
        assert!(judged(end, Some(1199), None, &[200]).is_some());
    }
}
