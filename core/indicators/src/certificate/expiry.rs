//! When an expiry counts.

use std::time::{Duration, SystemTime};

use health_core::{CheckResult, Unit};

use super::chain::Chain;
use crate::failure::{misconfigured, redact};
use crate::reason;

const DAY: f64 = 86_400.0;

/// The default: 14 days, so that a renewal that fails in a weekend or two is noticed by a person.
const DEGRADED_BEFORE: Duration = Duration::from_secs(14 * 86_400);

/// The time before the expiry from which a certificate is degraded or an error.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) degraded_before: Option<Duration>,
    pub(super) failing_before: Duration,
}

impl Limits {
    /// The result for limits that contradict each other.
    pub(super) fn mistake(&self) -> Option<CheckResult> {
        let is_wrong = self.degraded_before.is_some_and(|degraded| degraded < self.failing_before);
        is_wrong.then(|| misconfigured("it would fail before it is degraded"))
    }

    /// The result for the certificates of a chain: the first to expire counts.
    pub(super) fn result(&self, chain: &Chain, now: SystemTime) -> CheckResult {
        let now = match now.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => since.as_secs_f64(),
            Err(before) => -before.duration().as_secs_f64(),
        };
        let certificates = chain.certificates();
        let Some(first) = certificates.iter().min_by_key(|certificate| certificate.not_after)
        else {
            return failed("there is no certificate");
        };
        let remaining = first.not_after as f64 - now;
        let expires = match remaining {
            ..0.0 => format!("{} expired {} ago", first.name, days(-remaining)),
            _ => format!("{} expires in {}", first.name, days(remaining)),
        };
        let future = certificates.iter().find(|certificate| certificate.not_before as f64 > now);
        let result = if remaining < self.failing_before.as_secs_f64() {
            CheckResult::error(redact(&expires).into_owned()).reason(reason::EXPIRED)
        } else if let Some(future) = future {
            let time = days(future.not_before as f64 - now);
            failed(&format!("{} is not valid for another {time}", future.name))
        } else if remaining < self.degraded_before.unwrap_or(DEGRADED_BEFORE).as_secs_f64() {
            CheckResult::degraded(redact(&expires).into_owned()).reason(reason::EXPIRED)
        } else {
            CheckResult::ok()
        };
        result.value("remaining", remaining, Unit::Seconds)
    }
}

/// The result for a certificate that no client should accept.
pub(super) fn failed(why: &str) -> CheckResult {
    CheckResult::error(redact(why).into_owned()).reason(reason::TLS)
}

fn days(seconds: f64) -> String {
    format!("{:.1} days", seconds / DAY)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use health_core::Report;

    use super::{Chain, Limits};
    use crate::certificate::testing::Issued;

    const DAY: u64 = 86_400;

    fn report(limits: Limits, chain: &[&Issued], in_days: i64) -> Report {
        let chain = Chain::of_ders(chain.iter().map(|issued| issued.der())).unwrap();
        let days = Duration::from_secs(in_days.unsigned_abs() * DAY);
        let now = SystemTime::now();
        let now = if in_days < 0 { now - days } else { now + days };
        Report::of("certificate", limits.result(&chain, now))
    }

    #[test]
    fn a_certificate_is_degraded_two_weeks_before_it_expires() {
        let root = Issued::root("root");
        let leaf = root.issue("shop.example", -1, 30);
        for (in_days, status, reason) in [
            (0, "OK", None),
            (15, "OK", None),
            (17, "DEGRADED", Some("expired")),
            (29, "DEGRADED", Some("expired")),
            (31, "ERROR", Some("expired")),
            (-2, "ERROR", Some("tls")),
        ] {
            let report = report(Limits::default(), &[&leaf], in_days);
            assert_eq!((report.status().as_str(), report.reason()), (status, reason));
            let remaining = report.values()[0].number();
            let expected = (30 - in_days) as f64 * DAY as f64;
            assert!((remaining - expected).abs() < DAY as f64 / 2.0, "{remaining}");
        }
    }

    #[test]
    fn the_message_tells_the_days() {
        let leaf = Issued::root("root").issue("shop.example", -1, 30);
        for (in_days, message) in [
            (17, "shop.example expires in 13.0 days"),
            (32, "shop.example expired 2.0 days ago"),
            (-3, "shop.example is not valid for another 2.0 days"),
        ] {
            let report = report(Limits::default(), &[&leaf], in_days);
            assert_eq!(report.message(), Some(message));
        }
    }

    #[test]
    fn the_first_of_a_chain_to_expire_counts() {
        let root = Issued::root("root");
        let intermediate = root.issue_authority("intermediate", -100, 5);
        let leaf = intermediate.issue("shop.example", -1, 90);
        let report = report(Limits::default(), &[&leaf, &intermediate, &root], 0);
        assert_eq!(report.reason(), Some("expired"));
        assert!(report.message().unwrap().starts_with("CN=intermediate expires"), "{report:?}");
    }

    #[test]
    fn the_limits_can_be_changed_but_not_contradict_each_other() {
        let leaf = Issued::root("root").issue("shop.example", -1, 30);
        let days = |days| Duration::from_secs(days * DAY);
        let limits =
            |degraded, failing| Limits { degraded_before: degraded, failing_before: failing };
        let status = |limits: Limits, in_days| report(limits, &[&leaf], in_days).status().as_str();
        assert_eq!(status(limits(Some(days(3)), days(0)), 20), "OK");
        assert_eq!(status(limits(Some(days(3)), days(2)), 29), "ERROR");
        assert_eq!(status(limits(None, days(20)), 15), "ERROR");
        assert_eq!(status(limits(Some(Duration::MAX), days(0)), 0), "DEGRADED");
        assert!(limits(None, days(20)).mistake().is_none());
        assert!(limits(Some(days(3)), days(4)).mistake().is_some());
    }
}
