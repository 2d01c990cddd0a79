//! A test by what the application already has.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use health_conformance::testee::VirtualTime;
use health_core::{CheckResult, Status};
use health_indicators::{Ping, ping};

use crate::server::{Test, report_of};

fn in_time(ping: Ping, time: &VirtualTime) -> Arc<Ping> {
    Arc::new(ping.runtime(time.clone()).timeout(Duration::from_secs(3)))
}

#[test]
fn a_response_passes_and_a_result_is_reported() {
    let time = VirtualTime::default();
    let passed = in_time(ping(|| async { Ok::<_, io::Error>(()) }), &time);
    assert_eq!(report_of(&time, &passed).status(), Status::Ok);
    let degraded = || async { Ok::<_, io::Error>(CheckResult::degraded("slow").reason("slow")) };
    let report = report_of(&time, &in_time(ping(degraded), &time));
    assert_eq!((report.status(), report.reason()), (Status::Degraded, Some("slow")));
}

#[test]
fn an_error_has_its_reason_and_shows_no_password() {
    let time = VirtualTime::default();
    let refused = || async { Err::<(), _>(io::Error::from(ErrorKind::ConnectionRefused)) };
    assert_eq!(report_of(&time, &in_time(ping(refused), &time)).reason(), Some("refused"));
    let failed = || async { Err::<(), _>("at http://ann:secret@search: odd") };
    let report = report_of(&time, &in_time(ping(failed).classify(|_| Some("odd")), &time));
    assert_eq!(report.reason(), Some("odd"));
    assert!(!report.message().unwrap().contains("secret"));
}

struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_client_that_hangs_is_dropped_at_the_timeout() {
    let time = VirtualTime::default();
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = dropped.clone();
    let hanging = move || {
        let guard = Dropped(guard.clone());
        async move {
            let _guard = guard;
            std::future::pending::<Result<(), io::Error>>().await
        }
    };
    let test = Test::begin(&time, &in_time(ping(hanging), &time));
    time.pass(Duration::from_millis(2_999));
    assert!(!test.has_ended());
    time.pass(Duration::from_millis(1));
    assert_eq!(test.report().reason(), Some("timed_out"));
    assert!(dropped.load(Ordering::Relaxed));
}
