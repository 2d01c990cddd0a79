//! How peers see the same dependency, and what follows from it for a sick host (H24).

use std::error::Error;
use std::future::{pending, ready};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use health_core::{
    Check, Endpoint, Health, HealthBuilder, OwnView, PeerView, Peers, Purpose, Runtime, State,
    Task, async_trait,
};
use proptest::prelude::*;

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{Results, builder, in_virtual_time, passing, result};

const SECOND: Duration = Duration::from_secs(1);

/// The longest time from the start of one execution of a check with this period to that of the next.
fn longest(period: Duration) -> Duration {
    period + period / 10
}

/// A tenth more than the periods and the timeouts of the check of the database and of the peers.
const NOTICE_TIME: Duration = Duration::from_millis(27_500);

/// The most that a failure can take from its begin to the exchange that takes the host out.
const ENOUGH: Duration = Duration::from_secs(11 + 28 + 6);

/// What the exchange does.
#[derive(Clone, Default)]
enum Script {
    #[default]
    Nothing,
    Views(Vec<PeerView>),
    Fail,
    Panic,
    PanicInError,
    Hang,
    /// Blocks the thread for this time and finds a majority; the next exchange hangs.
    Block(VirtualTime, Duration),
}

/// Peers that do what a test tells them, and remember what they were told.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<(Script, Vec<OwnView>)>>);

impl Scripted {
    fn follow(&self, script: Script) {
        self.0.lock().unwrap().0 = script;
    }

    /// `reaching` of `of` peers reach the database.
    fn say(&self, reaching: u32, of: u32) {
        self.follow(Script::Views(vec![PeerView::new("database", reaching, of)]));
    }

    /// What the host has published about the database.
    fn published(&self) -> Option<bool> {
        let own = self.0.lock().unwrap().1.clone();
        assert!(own.len() <= 1, "{own:?}");
        own.first().map(|view| {
            assert_eq!(&*view.check, "database");
            view.is_reached
        })
    }
}

struct PanicsInDisplay;

impl std::fmt::Debug for PanicsInDisplay {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("in the error")
    }
}

impl std::fmt::Display for PanicsInDisplay {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("in the error")
    }
}

impl Error for PanicsInDisplay {}

#[async_trait]
impl Peers for Scripted {
    async fn exchange(
        &self,
        own: &[OwnView],
    ) -> Result<Vec<PeerView>, Box<dyn Error + Send + Sync>> {
        let script = {
            let mut state = self.0.lock().unwrap();
            state.1 = own.to_vec();
            state.0.clone()
        };
        match script {
            Script::Nothing => Ok(Vec::new()),
            Script::Views(views) => Ok(views),
            Script::Fail => Err("no route to the store".into()),
            Script::Panic => panic!("no store"),
            Script::PanicInError => Err(Box::new(PanicsInDisplay)),
            Script::Hang => pending().await,
            Script::Block(time, took) => {
                time.pass_unnoticed(took);
                self.follow(Script::Hang);
                Ok(vec![PeerView::new("database", 9, 9)])
            }
        }
    }
}

/// A host whose database check runs every 10 s, and which meets its peers every 5 s. `/ready` steers traffic, and
/// `/pager` alerts people.
struct Host {
    health: Health,
    time: VirtualTime,
    is_up: Arc<AtomicBool>,
    peers: Scripted,
}

impl Host {
    /// A host that reaches its database.
    fn new(describe: impl FnOnce(Check) -> Check) -> Self {
        let time = VirtualTime::default();
        Self::on(time.clone(), time, describe)
    }

    fn on(runtime: impl Runtime, time: VirtualTime, describe: impl FnOnce(Check) -> Check) -> Self {
        let is_up = Arc::new(AtomicBool::new(true));
        let peers = Scripted::default();
        let database = Check::with("database", is_up.clone(), |is_up| {
            ready(if is_up.load(Ordering::SeqCst) { Ok(()) } else { Err("no route") })
        });
        let health = builder()
            .runtime(runtime)
            .register(describe(database.shared().every(10 * SECOND)))
            .register(Check::peers("peers", peers.clone()))
            .endpoint(Endpoint::readiness("/ready").only_checks(["database"]))
            .endpoint(Endpoint::readiness("/peers").only_checks(["peers"]))
            .endpoint(Endpoint::nagios("/pager").only_checks(["database"]))
            .build()
            .unwrap();
        health.start_on(time.clone());
        time.settle();
        Self { health, time, is_up, peers }
    }

    /// A host that has lost its database for so long that every view of the peers counts. They have no opinion.
    fn sick() -> Self {
        let host = Self::new(|check| check);
        host.lose_database();
        host
    }

    /// The same, when 8 of 9 peers have reached the database for long.
    fn out() -> Self {
        let host = Self::new(|check| check);
        host.peers.say(8, 9);
        host.lose_database();
        host.time.pass(ENOUGH);
        assert_eq!(host.ready(), 503);
        host
    }

    /// Its check fails.
    fn lose_database(&self) {
        self.is_up.store(false, Ordering::SeqCst);
        self.time.pass(longest(10 * SECOND));
    }

    /// After the next exchange.
    fn meet(&self) {
        self.time.pass(longest(5 * SECOND));
    }

    fn status(&self, path: &str) -> u16 {
        self.time.ask_at(&self.health, path).response().status().as_u16()
    }

    fn ready(&self) -> u16 {
        self.status("/ready")
    }

    /// The message of the database check at `/ready`.
    fn message(&self) -> String {
        let results = self.time.ask_at(&self.health, "/ready").results();
        results.into_iter().find_map(|(.., message)| message).unwrap_or_default()
    }

    /// The results at `/peers`.
    fn peers_results(&self) -> Results {
        let asker = self.time.ask_at(&self.health, "/peers");
        assert_eq!(asker.response().status(), 200);
        asker.results()
    }
}

#[test]
fn a_host_leaves_when_most_peers_have_long_reached_what_it_has_long_lost() {
    let host = Host::new(|check| check);
    host.peers.say(8, 9);
    host.meet();
    assert_eq!(host.ready(), 200);
    host.lose_database();
    // Its peers may be about to notice the same.
    for _ in 0..16 {
        assert_eq!(host.ready(), 200);
        assert!(
            host.message().ends_with(", 8 of 9 peers reach it: no route"),
            "{}",
            host.message()
        );
        host.time.pass(SECOND);
    }
    host.time.pass(ENOUGH - 16 * SECOND);
    assert_eq!(host.ready(), 503);
    let message = host.message();
    assert!(message.starts_with("shared, failing for "), "{message}");
    assert!(message.ends_with(", 8 of 9 peers reach it: no route"), "{message}");
    assert_eq!(host.status("/pager"), 503);

    host.is_up.store(true, Ordering::SeqCst);
    host.time.pass(longest(10 * SECOND));
    assert_eq!(host.ready(), 200);
}

#[test]
fn no_host_leaves_before_a_peer_has_had_the_time_to_notice_the_same() {
    for _ in 0..20 {
        let host = Host::new(|check| check);
        host.peers.say(9, 9);
        host.time.pass(60 * SECOND);
        host.is_up.store(false, Ordering::SeqCst);
        while host.message().is_empty() {
            host.time.pass(SECOND / 10);
        }
        // The failure is at most 0.1 s old.
        host.time.pass(NOTICE_TIME - SECOND / 10);
        assert_eq!(host.ready(), 200);
        host.time.pass(SECOND / 10 + longest(5 * SECOND));
        assert_eq!(host.ready(), 503);
    }
}

#[test]
fn a_host_that_recovers_later_than_its_peers_stays() {
    let host = Host::sick();
    host.peers.say(0, 9);
    host.time.pass(600 * SECOND);
    assert_eq!(host.ready(), 200);
    assert!(host.message().contains("0 of 9 peers reach it"));
    // They have found out that the database is back.
    host.peers.say(9, 9);
    host.meet();
    for _ in 0..22 {
        assert_eq!(host.ready(), 200);
        host.time.pass(SECOND);
    }
    // It cannot.
    host.time.pass(ENOUGH);
    assert_eq!(host.ready(), 503);
}

#[test]
fn a_minority_half_and_nobody_take_no_host_out() {
    for (reaching, of, expected) in [
        (1, 1, 503),
        (0, 1, 200),
        (1, 2, 200),
        (2, 2, 503),
        (1, 3, 200),
        (2, 3, 503),
        (4, 8, 200),
        (5, 8, 503),
        (0, 0, 200),
        (u32::MAX / 2, u32::MAX, 200),
        (u32::MAX / 2 + 1, u32::MAX, 503),
        (u32::MAX, u32::MAX, 503),
    ] {
        let host = Host::sick();
        host.peers.say(reaching, of);
        host.time.pass(ENOUGH);
        assert_eq!(host.ready(), expected, "{reaching} of {of}");
    }
}

#[test]
fn a_view_without_peers_says_nothing() {
    let host = Host::sick();
    host.peers.say(0, 0);
    host.time.pass(ENOUGH);
    assert!(!host.message().contains("peers"), "{}", host.message());
    assert_eq!(host.peers_results(), []);
    host.peers.say(1, 2);
    host.meet();
    assert!(host.message().ends_with(", 1 of 2 peers reach it: no route"), "{}", host.message());
}

#[test]
fn the_view_changes_back_and_forth_with_the_peers() {
    let host = Host::out();
    host.peers.say(4, 9);
    host.meet();
    assert_eq!(host.ready(), 200);
    host.peers.say(5, 9);
    host.meet();
    assert_eq!(host.ready(), 200);
    host.time.pass(ENOUGH);
    assert_eq!(host.ready(), 503);
}

#[test]
fn a_view_that_flaps_takes_no_host_out() {
    let host = Host::sick();
    for round in 0..100 {
        host.peers.say(if round % 3 == 0 { 0 } else { 9 }, 9);
        host.meet();
        assert_eq!(host.ready(), 200);
    }
    for round in 0..100 {
        match round % 3 {
            0 => host.peers.follow(Script::Fail),
            _ => host.peers.say(9, 9),
        }
        host.meet();
        assert_eq!(host.ready(), 200);
    }
}

#[test]
fn a_lost_view_counts_as_none() {
    let timed_out = "timed out after 5s";
    for (script, message) in [
        (Script::Fail, "no route to the store"),
        (Script::Panic, "panicked: no store"),
        (Script::PanicInError, "panicked: in the error"),
        (Script::Hang, timed_out),
    ] {
        let host = Host::out();
        host.peers.follow(script);
        host.time.pass(longest(5 * SECOND) + 5 * SECOND);
        assert_eq!(host.ready(), 200);
        assert!(!host.message().contains("peers"), "{}", host.message());
        assert_eq!(host.peers_results(), [result("peers", "ERROR", Some(message))]);
        // A new view has to be confirmed anew.
        host.peers.say(9, 9);
        host.time.pass(longest(5 * SECOND));
        assert_eq!(host.peers_results(), []);
        assert_eq!(host.ready(), 200);
        host.time.pass(ENOUGH);
        assert_eq!(host.ready(), 503);
    }
}

#[test]
fn a_view_that_comes_too_late_because_it_blocked_its_thread_counts_as_none() {
    let host = Host::out();
    host.peers.follow(Script::Block(host.time.clone(), 6 * SECOND));
    host.meet();
    assert_eq!(host.ready(), 200);
    let message = Some("timed out after 5s");
    assert_eq!(host.peers_results(), [result("peers", "ERROR", message)]);
}

/// From some time on, polls each new task only once, as if its check blocked the thread.
#[derive(Clone)]
struct Blocking(VirtualTime, Arc<AtomicBool>, Arc<Mutex<Vec<Task>>>);

impl Runtime for Blocking {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        self.0.sleep_until(deadline)
    }

    fn spawn(&self, mut task: Task) {
        if self.1.load(Ordering::SeqCst) {
            let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            self.2.lock().unwrap().push(task);
        } else {
            self.0.spawn(task);
        }
    }
}

#[test]
fn while_an_exchange_blocks_its_thread_there_is_no_view() {
    let time = VirtualTime::default();
    let blocks = Arc::new(AtomicBool::new(false));
    let runtime = Blocking(time.clone(), blocks.clone(), Arc::default());
    let host = Host::on(runtime, time, |check| check);
    host.peers.say(9, 9);
    host.lose_database();
    host.time.pass(ENOUGH);
    assert_eq!(host.ready(), 503);
    blocks.store(true, Ordering::SeqCst);
    host.peers.follow(Script::Hang);
    host.time.pass(longest(5 * SECOND) + 5 * SECOND + SECOND / 10);
    assert_eq!(host.ready(), 200);
    host.meet();
    let results = host.peers_results();
    let message = results[0].2.clone().unwrap();
    assert!(message.starts_with("still running since"), "{message}");
}

#[test]
fn a_view_counts_for_three_periods_at_most() {
    let host = Host::out();
    // Nothing wakes the exchange, but requests come in time: no standstill.
    let exchange = |host: &Host| {
        host.time.pass_unnoticed(SECOND / 5);
        host.ready()
    };
    let mut statuses = Vec::new();
    for _ in 0..80 {
        statuses.push(exchange(&host));
    }
    assert_eq!(statuses[0], 503);
    // The database's own result is stale after 30 s, which is no failure of the dependency.
    assert_eq!(*statuses.last().unwrap(), 200);
    let first = statuses.iter().position(|status| *status == 200).unwrap();
    assert!((45..=75).contains(&first), "{first}");
    // The next view says nothing about the time in between.
    host.time.pass(SECOND);
    assert_eq!(host.ready(), 200);
    assert!(host.message().contains("8 of 9 peers reach it"), "{}", host.message());
    host.time.pass(ENOUGH);
    assert_eq!(host.ready(), 503);
}

#[test]
fn a_view_from_before_a_standstill_counts_as_none() {
    let host = Host::out();
    host.time.pass_unnoticed(8 * SECOND);
    assert_eq!(host.ready(), 200);
    assert!(!host.message().contains("peers"), "{}", host.message());
    // Its own failure begins anew as well.
    host.meet();
    assert_eq!(host.ready(), 200);
    assert!(host.message().contains("8 of 9 peers reach it"), "{}", host.message());
    host.time.pass(ENOUGH);
    assert_eq!(host.ready(), 503);
}

#[test]
fn a_view_of_an_unknown_check_is_a_failure_that_names_it_and_the_others_count() {
    let database = || PeerView::new("database", 9, 9);
    for (view, message) in [
        (PeerView::new("mail", 9, 9), "a view names the check \"mail\", which is not registered"),
        (PeerView::new("peers", 9, 9), "a view names the check \"peers\", which is not shared"),
        (
            PeerView::new("a\"\nb", 1, 1),
            "a view names the check \"a\\\"\\nb\", which is not registered",
        ),
        (PeerView::new("mail", 3, 2), "a view names the check \"mail\", which is not registered"),
    ] {
        for views in [vec![database(), view.clone()], vec![view, database()]] {
            let host = Host::sick();
            host.peers.follow(Script::Views(views));
            host.time.pass(ENOUGH);
            assert_eq!(host.peers_results(), [result("peers", "ERROR", Some(message))]);
            assert_eq!(host.ready(), 503);
        }
    }
    let many = (0..10_000).map(|n| PeerView::new("x".repeat(2_000) + &n.to_string(), 1, 1));
    let host = Host::sick();
    host.peers.follow(Script::Views(many.collect()));
    host.meet();
    assert!(host.peers_results()[0].2.clone().unwrap().len() < 1_100);
}

#[test]
fn an_impossible_view_is_a_failure_and_no_view() {
    let view = |reaching, of| PeerView::new("database", reaching, of);
    let two = "two views are of the check \"database\"";
    for (views, message) in [
        (vec![view(9, 8)], "a view says that 9 of 8 peers reach \"database\""),
        (vec![view(9, 9), view(9, 9)], two),
        (vec![view(9, 9), view(0, 9), view(9, 9)], two),
    ] {
        let host = Host::sick();
        host.peers.follow(Script::Views(views));
        host.time.pass(ENOUGH);
        assert_eq!(host.peers_results(), [result("peers", "ERROR", Some(message))]);
        assert_eq!(host.ready(), 200);
        assert!(!host.message().contains("peers"), "{}", host.message());
    }
}

#[test]
fn a_host_that_has_never_reached_the_dependency_is_not_ready_whatever_its_peers_say() {
    let host = Host::new(|_| {
        let fails = || ready(Err::<(), _>("no route"));
        Check::new("database", fails).shared().every(10 * SECOND)
    });
    for reaching in [0, 9] {
        host.peers.say(reaching, 9);
        host.time.pass(ENOUGH);
        assert_eq!(host.ready(), 503);
        assert_eq!(host.message(), "shared, never OK: no route");
    }
}

#[test]
fn peers_change_nothing_for_an_optional_check() {
    let host = Host::new(Check::optional);
    host.peers.say(9, 9);
    host.lose_database();
    host.time.pass(ENOUGH);
    assert_eq!(host.ready(), 200);
}

#[test]
fn a_limit_applies_whatever_the_peers_say() {
    let host = Host::new(|check| check.fail_after(60 * SECOND));
    host.peers.say(0, 9);
    host.lose_database();
    assert_eq!(host.ready(), 200);
    host.time.pass(61 * SECOND);
    assert_eq!(host.ready(), 503);
    assert!(host.message().contains("0 of 9 peers reach it"), "{}", host.message());
}

#[test]
fn a_threshold_makes_the_wait_for_the_peers_longer() {
    let host = Host::new(|check| check.failure_threshold(3));
    host.peers.say(9, 9);
    host.time.pass(60 * SECOND);
    host.is_up.store(false, Ordering::SeqCst);
    while !host.message().starts_with("shared") {
        host.time.pass(SECOND / 10);
    }
    // Two more periods of the check.
    host.time.pass(NOTICE_TIME + 22 * SECOND - SECOND / 10);
    assert_eq!(host.ready(), 200);
    host.meet();
    assert_eq!(host.ready(), 503);
}

#[test]
fn a_longer_period_while_failing_makes_the_wait_for_the_peers_longer() {
    let host = Host::new(|check| check.every_while_failing(30 * SECOND));
    host.peers.say(9, 9);
    host.time.pass(60 * SECOND);
    host.is_up.store(false, Ordering::SeqCst);
    while !host.message().starts_with("shared") {
        host.time.pass(SECOND / 10);
    }
    // The host may find out that the dependency is back this much later than its peers.
    host.time.pass(NOTICE_TIME + 22 * SECOND - SECOND / 10);
    assert_eq!(host.ready(), 200);
    host.meet();
    assert_eq!(host.ready(), 503);
}

#[test]
fn a_check_on_request_is_confirmed_as_well() {
    let is_up = Arc::new(AtomicBool::new(true));
    let peers = Scripted::default();
    let database = Check::with("database", is_up.clone(), |is_up| {
        ready(if is_up.load(Ordering::SeqCst) { Ok(()) } else { Err("no route") })
    });
    let (health, time) = in_virtual_time(|b| {
        b.register(database.shared())
            .register(Check::peers("peers", peers.clone()))
            .endpoint(Endpoint::readiness("/ready").only_checks(["database"]))
    });
    health.start_on(time.clone());
    let status = || time.ask_at(&health, "/ready").response().status().as_u16();
    peers.say(9, 9);
    assert_eq!(peers.published(), None);
    assert_eq!(status(), 200);
    time.pass(longest(5 * SECOND));
    assert_eq!(peers.published(), Some(true));
    is_up.store(false, Ordering::SeqCst);
    assert_eq!(status(), 200);
    // A result of a peer counts for three periods of the exchange, and its check and the exchange may take 5 s each.
    time.pass((15 + 5 + 5 + 5) * SECOND * 11 / 10);
    assert_eq!(status(), 200);
    time.pass(longest(5 * SECOND));
    assert_eq!(status(), 503);
    assert_eq!(peers.published(), Some(false));
    // No further request arrives.
    time.pass(15 * SECOND + 2 * longest(5 * SECOND));
    assert_eq!(peers.published(), None);
    // Nor does a watch see more than a failure from long ago.
    let seen = Arc::new(Mutex::new(None));
    let first = seen.clone();
    let mut watch = health.at("/ready").unwrap().watch();
    time.spawn(Box::pin(async move {
        *first.lock().unwrap() = watch.next().await;
    }));
    time.pass(SECOND);
    assert_eq!(*seen.lock().unwrap(), Some(State::Degraded));
}

#[test]
fn a_host_with_a_quick_check_waits_until_what_its_peers_have_published_expires() {
    for _ in 0..20 {
        let host = Host::new(|check| check.every(SECOND).timeout(SECOND / 10));
        host.peers.say(9, 9);
        host.time.pass(60 * SECOND);
        host.is_up.store(false, Ordering::SeqCst);
        while host.message().is_empty() {
            host.time.pass(SECOND / 10);
        }
        // Three periods of the exchange, and a tenth more.
        host.time.pass(15 * SECOND * 11 / 10 - SECOND / 10);
        assert_eq!(host.ready(), 200);
        host.time.pass(SECOND / 10 + longest(5 * SECOND));
        assert_eq!(host.ready(), 503);
    }
}

#[test]
fn a_host_publishes_what_it_knows_and_nothing_else() {
    let host = Host::new(|check| check);
    host.meet();
    assert_eq!(host.peers.published(), Some(true));
    host.lose_database();
    host.meet();
    assert_eq!(host.peers.published(), Some(false));
    host.is_up.store(true, Ordering::SeqCst);
    host.time.pass(longest(10 * SECOND) + longest(5 * SECOND));
    assert_eq!(host.peers.published(), Some(true));

    // A check that hangs has no result until it has timed out, and counts as before then.
    let host = Host::new(|_| {
        Check::new("database", pending::<Result<(), String>>).shared().every(10 * SECOND)
    });
    assert_eq!(host.peers.published(), None);
    host.time.pass(15 * SECOND);
    assert_eq!(host.peers.published(), Some(false));
}

#[test]
fn a_failure_below_the_threshold_is_published_as_reached() {
    let host = Host::new(|check| check.failure_threshold(100));
    host.lose_database();
    host.meet();
    assert_eq!(host.peers.published(), Some(true));
}

#[test]
fn after_a_standstill_a_host_has_no_opinion_until_it_has_asked() {
    let time = VirtualTime::default();
    let peers = Scripted::default();
    let runs = Arc::new(AtomicBool::new(true));
    let answers = runs.clone();
    let database = Check::new("database", move || {
        let answers = answers.load(Ordering::SeqCst);
        async move {
            if !answers {
                pending::<()>().await;
            }
            Ok::<(), String>(())
        }
    });
    let health = builder()
        .runtime(time.clone())
        .register(database.shared().every(20 * SECOND))
        .register(Check::peers("peers", peers.clone()))
        .build()
        .unwrap();
    health.start_on(time.clone());
    time.pass(longest(5 * SECOND));
    assert_eq!(peers.published(), Some(true));
    runs.store(false, Ordering::SeqCst);
    time.pass_unnoticed(60 * SECOND);
    time.pass(4 * SECOND);
    assert_eq!(peers.published(), None);
}

#[test]
fn a_watch_sees_what_a_request_sees() {
    let host = Host::new(|check| check);
    host.peers.say(9, 9);
    let watched = Arc::new(Mutex::new(None));
    let latest = watched.clone();
    let watch = host.health.at("/ready").unwrap().watch();
    host.time.spawn(Box::pin(watch.for_each(move |state| {
        *latest.lock().unwrap() = Some(state);
        ready(())
    })));
    let state_in_step = || {
        host.time.settle();
        let state = host.time.ask_at(&host.health, "/ready").response().state();
        assert_eq!(*watched.lock().unwrap(), Some(state));
        state
    };
    host.lose_database();
    let mut seen = Vec::new();
    for second in 0..200 {
        if second == 100 {
            host.peers.follow(Script::Fail);
        }
        let state = state_in_step();
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        host.time.pass(SECOND);
    }
    assert_eq!(seen, [State::Degraded, State::Failing, State::Degraded]);
}

#[test]
fn a_lost_view_is_a_warning_on_traffic_and_may_be_required_by_a_pager() {
    let peers = Scripted::default();
    peers.follow(Script::Fail);
    let (health, time) = in_virtual_time(|b| {
        b.register(passing("database").shared())
            .register(Check::peers("peers", peers))
            .endpoint(Endpoint::readiness("/ready"))
            .endpoint(Endpoint::nagios("/pager").required_check("peers"))
    });
    health.start_on(time.clone());
    time.settle();
    assert_eq!(time.ask_at(&health, "/ready").response().state(), State::Degraded);
    assert_eq!(time.ask_at(&health, "/ready").response().status(), 200);
    assert_eq!(time.ask_at(&health, "/pager").response().status(), 503);
}

#[test]
fn a_description_that_could_not_work_or_could_empty_the_fleet_is_refused() {
    let peers = || Check::peers("peers", Scripted::default());
    let database = || passing("database").shared();
    let refused = |builder: HealthBuilder| builder.build().unwrap_err().to_string();
    assert_eq!(
        refused(
            builder()
                .register(database())
                .register(peers())
                .register(Check::peers("others", Arc::new(Scripted::default())))
        ),
        "the checks \"peers\" and \"others\" both exchange views with the peers: register one Check::peers, whose \
         views are of all shared checks"
    );
    let alone = "the check \"peers\" exchanges views of shared checks with the peers, but no check is shared: remove \
                 it, or call Check::shared for a check";
    assert_eq!(refused(builder().register(peers())), alone);
    assert_eq!(refused(builder().register(passing("database")).register(peers())), alone);
    for (check, call) in [(peers().shared(), "shared"), (peers().process_only(), "process_only")] {
        let error = format!(
            "the check \"peers\" exchanges views with the peers, and is neither shared nor of the process only: \
             remove Check::{call}"
        );
        assert_eq!(refused(builder().register(database()).register(check)), error);
    }
    let required = |endpoint: Endpoint| {
        builder().register(database()).register(peers()).endpoint(endpoint.required_check("peers"))
    };
    assert_eq!(
        refused(required(Endpoint::readiness("/ready"))),
        "the endpoint at \"/ready\" steers traffic and requires the check \"peers\": if the hosts cannot meet, all of \
         them would leave; remove Endpoint::required_check, or call Endpoint::purpose"
    );
    assert!(required(Endpoint::readiness("/ready").purpose(Purpose::AlertsPeople)).build().is_ok());
    let live = Endpoint::liveness("/live").only_checks(["peers"]);
    assert!(refused(builder().register(database()).register(peers()).endpoint(live)).starts_with(
        "the liveness endpoint at \"/live\" runs the check \"peers\" of a dependency"
    ));
    let period = peers().every(Duration::ZERO);
    assert_eq!(
        refused(builder().register(database()).register(period)),
        "the period of the check \"peers\" is zero: it must be longer"
    );
}

/// What one exchange finds, in the property test.
#[derive(Debug, Clone, Copy)]
enum Exchange {
    Says(u32, u32),
    Loses,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// One exchange and one execution of the check per step; the model looks at the whole past anew at each.
    #[test]
    fn a_host_is_out_if_and_only_if_its_failure_and_the_majority_of_its_peers_have_lasted(
        limit in prop::option::of(20..200_u64),
        alerts in any::<bool>(),
        is_optional in any::<bool>(),
        past in prop::collection::vec(
            (
                prop::bool::weighted(0.15),
                prop_oneof![
                    8 => (5..10_u32).prop_map(|reaching| Exchange::Says(reaching, 9)),
                    1 => (0..5_u32).prop_map(|reaching| Exchange::Says(reaching, 9)),
                    1 => Just(Exchange::Says(0, 0)),
                    1 => Just(Exchange::Loses),
                ],
            ),
            1..24,
        ),
    ) {
        let is_up = Arc::new(AtomicBool::new(true));
        let peers = Scripted::default();
        let database = Check::with("database", is_up.clone(), |is_up| {
            ready(if is_up.load(Ordering::SeqCst) { Ok(()) } else { Err("no route") })
        });
        let database = database.shared().timeout(SECOND);
        let database = if is_optional { database.optional() } else { database };
        let database = match limit {
            Some(limit) => database.fail_after(Duration::from_secs(limit)),
            None => database,
        };
        let endpoint = Endpoint::consul("/other").only_checks(["database"]);
        let endpoint =
            if alerts { endpoint.purpose(Purpose::AlertsPeople) } else { endpoint };
        let (health, time) = in_virtual_time(|b| {
            b.register(database)
                .register(Check::peers("peers", peers.clone()).every(10 * SECOND).timeout(SECOND))
                .endpoint(endpoint)
        });
        // The first OK, and then the first exchange.
        prop_assert_eq!(time.ask_at(&health, "/other").response().status(), 200);
        let start = time.now();
        health.start_on(time.clone());
        time.settle();

        let mut asked = Vec::new();
        let mut failing_since = None;
        // Three periods of the exchange, the timeout of the check, and the period and timeout of the exchange.
        let notice_time = (30 + 1 + 10 + 1) * SECOND * 11 / 10;
        for (is_reached, exchange) in past {
            match exchange {
                Exchange::Says(reaching, of) => peers.say(reaching, of),
                Exchange::Loses => peers.follow(Script::Fail),
            }
            peers.0.lock().unwrap().1.clear();
            // To the moment of the exchange, which comes after 9 to 11 s.
            let marker = [OwnView::new("marker", false)];
            peers.0.lock().unwrap().1 = marker.to_vec();
            while peers.0.lock().unwrap().1 == marker {
                time.pass(SECOND / 20);
            }
            let now = time.now();
            let is_majority = matches!(exchange, Exchange::Says(reaching, of) if reaching * 2 > of);
            asked.push((now, is_majority));
            is_up.store(is_reached, Ordering::SeqCst);
            let status = time.ask_at(&health, "/other").response().status().as_u16();
            failing_since = if is_reached { None } else { failing_since.or(Some(now)) };

            let majority_since =
                asked.iter().rev().take_while(|(_, is_majority)| *is_majority).last();
            let is_alone = match (failing_since, majority_since) {
                (Some(failing), Some((majority, _))) => {
                    let since = failing.max(*majority);
                    // The moments of the exchanges are known to 0.05 s.
                    let over = now.saturating_duration_since(since + notice_time);
                    let until = (since + notice_time).saturating_duration_since(now);
                    prop_assume!(over > SECOND / 5 || until > SECOND / 5);
                    !over.is_zero()
                }
                _ => false,
            };
            let has_lasted = limit.is_some_and(|limit| {
                failing_since.is_some_and(|since| now - since >= Duration::from_secs(limit))
            });
            let expected = match (is_reached, is_optional) {
                (true, _) => 200,
                (false, true) => 429,
                (false, false) if alerts || is_alone || has_lasted => 503,
                (false, false) => 429,
            };
            prop_assert_eq!(status, expected, "{:?} after {:?}", asked, now - start);
        }
    }
}
