//! The delay of a return to healthy (H25).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::executor::block_on;
use health_core::{
    Check, Endpoint, Health, HealthBuilder, LogPolicy, Notification, RunChecks, StartupLatch, State,
};

use crate::shared_dependency::Database;
use crate::virtual_time::{Ask as _, Asker, VirtualTime};
use crate::watch::Reader;
use crate::{assert_even, builder, in_virtual_time, passing};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// `/ready` returns with a delay of up to an hour, and `/now` without. The database is up, and each was asked.
fn host(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> (Health, VirtualTime, Database) {
    let database = Database::default();
    let (health, time) = in_virtual_time(|b| {
        describe(b.register(database.check()))
            .endpoint(Endpoint::readiness("/ready").recovery_delay(HOUR))
            .endpoint(Endpoint::readiness("/now"))
    });
    database.set(true);
    assert_eq!(bodies(&health, &time), ["OK", "OK"]);
    (health, time, database)
}

fn bodies(health: &Health, time: &VirtualTime) -> [&'static str; 2] {
    ["/ready", "/now"].map(|path| time.ask_at(health, path).body())
}

/// An outage, and the end of it.
fn fail_and_recover(health: &Health, time: &VirtualTime, database: &Database) {
    database.set(false);
    assert_eq!(bodies(health, time), ["ERROR", "ERROR"]);
    time.pass(SECOND);
    database.set(true);
    assert_eq!(bodies(health, time), ["ERROR", "OK"]);
}

/// The text of the record of a response.
fn record(asker: &Asker) -> Option<String> {
    asker.answer().records().last().map(|record| record.text().to_owned())
}

/// The rest of the delay in the record of a response; `None` if it is not delayed.
fn rest(asker: &Asker) -> Option<f64> {
    let record = record(asker)?;
    let (_, rest) = record.split_once(r#","message":"recovery delayed for another "#)?;
    let (amount, unit) = ["ms\"}])", "s\"}])"]
        .into_iter()
        .find_map(|unit| Some((rest.strip_suffix(unit)?, unit)))
        .unwrap();
    let amount: f64 = amount.parse().unwrap();
    Some(if unit.starts_with("ms") { amount / 1000.0 } else { amount })
}

#[test]
fn an_endpoint_that_has_recovered_shows_failing_until_its_delay_is_over() {
    let (health, time, database) = host(|b| b);
    fail_and_recover(&health, &time, &database);
    let asker = time.ask_at(&health, "/ready");
    let response = asker.response();
    assert_eq!((response.status().as_u16(), response.state()), (503, State::Failing));
    let rest = rest(&asker).unwrap();
    let entry = format!(
        r#"{{"name":null,"status":"ERROR","message":"recovery delayed for another {:?}"}}"#,
        Duration::from_secs_f64(rest)
    );
    let result = r#"{"name":"database","status":"OK","message":null}"#;
    let expected = format!("Health response: ERROR ([{result},{entry}])");
    assert_eq!(record(&asker), Some(expected));
    assert_eq!(asker.answer().records().last().unwrap().reason(), Some("recovery_delayed"));

    time.pass(Duration::from_secs_f64(rest - 0.001));
    assert_eq!(bodies(&health, &time), ["ERROR", "OK"]);
    time.pass(2 * SECOND / 1000);
    for _ in 0..3 {
        let asker = time.ask_at(&health, "/ready");
        assert_eq!((asker.body(), record(&asker)), ("OK", None));
        time.pass(HOUR);
    }
    // The next outage has another delay.
    fail_and_recover(&health, &time, &database);
}

#[test]
fn a_host_that_was_never_healthy_is_not_delayed() {
    let database = Database::default();
    let (health, time) = in_virtual_time(|b| {
        b.register(database.check())
            .endpoint(Endpoint::readiness("/ready").recovery_delay(HOUR))
            .endpoint(Endpoint::readiness("/now"))
    });
    // What no check has found out yet is no health, and a watch does not take it for that.
    let reader = Reader::of(health.at("/ready").unwrap().watch(), &time);
    for _ in 0..3 {
        assert_eq!(bodies(&health, &time), ["ERROR", "ERROR"]);
        time.pass(SECOND);
    }
    database.set(true);
    assert_eq!(bodies(&health, &time), ["OK", "OK"]);
    assert_eq!(reader.read(), [State::Ok, State::Failing, State::Ok]);
}

#[test]
fn a_background_check_before_its_first_result_delays_nothing() {
    let check = passing("database").every(HOUR);
    let (health, time) = in_virtual_time(|b| {
        b.register(check).endpoint(Endpoint::readiness("/ready").recovery_delay(HOUR))
    });
    assert_eq!(time.ask_at(&health, "/ready").body(), "ERROR");
    assert_eq!(time.ask_at(&health, "/ready").body(), "OK");
}

#[test]
fn a_failure_within_the_delay_discards_it_and_the_next_recovery_draws_anew() {
    let mut is_longer = [false; 2];
    for _ in 0..100 {
        let (health, time, database) = host(|b| b);
        fail_and_recover(&health, &time, &database);
        let first = rest(&time.ask_at(&health, "/ready"));
        database.set(false);
        let asker = time.ask_at(&health, "/ready");
        assert_eq!((asker.body(), rest(&asker)), ("ERROR", None));
        database.set(true);
        let second = rest(&time.ask_at(&health, "/ready"));
        is_longer[usize::from(second > first)] = true;
    }
    assert_eq!(is_longer, [true; 2]);
}

#[test]
fn the_delay_passes_while_the_process_stands_still_or_nobody_asks() {
    for pass in [VirtualTime::pass, VirtualTime::pass_unnoticed] {
        let (health, time, database) = host(|b| b);
        fail_and_recover(&health, &time, &database);
        pass(&time, HOUR);
        assert_eq!(bodies(&health, &time), ["OK", "OK"]);
    }
}

#[test]
fn the_delay_of_each_endpoint_is_its_own() {
    let database = Database::default();
    let (health, time) = in_virtual_time(|b| {
        let delayed = |path: &str| Endpoint::readiness(path).recovery_delay(HOUR);
        b.register(database.check())
            .endpoint(delayed("/first"))
            .endpoint(delayed("/second"))
            .endpoint(Endpoint::readiness("/new").recovery_delay(HOUR))
    });
    let ask = |path| time.ask_at(&health, path);
    database.set(true);
    assert_eq!(["/first", "/second"].map(|path| ask(path).body()), ["OK", "OK"]);
    database.set(false);
    assert_eq!(["/first", "/new"].map(|path| ask(path).body()), ["ERROR", "ERROR"]);
    database.set(true);
    // The second has not noticed the outage, and the new one was never healthy.
    assert_eq!(["/second", "/new"].map(|path| ask(path).body()), ["OK", "OK"]);
    assert!(rest(&ask("/first")).is_some());
}

#[test]
fn a_thousand_hosts_return_evenly_over_the_whole_delay() {
    let time = VirtualTime::default();
    let database = Database::default();
    let host = |_| {
        let ready = Endpoint::readiness("/ready").recovery_delay(100 * SECOND);
        let builder = builder().runtime(time.clone()).register(database.check());
        builder.endpoint(ready).build().unwrap()
    };
    let mut hosts: Vec<_> = (0..1000).map(host).collect();
    let mut returned = |expected: bool| -> usize {
        let before = hosts.len();
        hosts.retain(|host| (time.ask_at(host, "/ready").body() == "OK") == expected);
        before - hosts.len()
    };
    database.set(true);
    assert_eq!(returned(true), 0);
    database.set(false);
    assert_eq!(returned(false), 0);
    database.set(true);
    let mut moments = Vec::new();
    for tenth in 0..=10 {
        // In the middle of the tenth.
        let moment = 10.0 * f64::from(tenth) - 5.0;
        moments.extend(vec![moment; returned(false)]);
        time.pass(10 * SECOND);
    }
    assert_even(&moments, 0.0, 100.0);
    assert_eq!(moments.len(), 1000);
}

#[test]
fn maintenance_a_drain_and_a_start_take_precedence_and_do_not_stop_the_delay() {
    let (health, time, database) = host(|b| b);
    fail_and_recover(&health, &time, &database);
    let switch = health.maintenance_switch();
    switch.turn_on();
    assert_eq!(bodies(&health, &time), ["MAINTENANCE", "MAINTENANCE"]);
    switch.turn_off();
    assert_eq!(bodies(&health, &time), ["ERROR", "OK"]);
    switch.turn_on();
    time.pass(HOUR);
    assert_eq!(bodies(&health, &time), ["MAINTENANCE", "MAINTENANCE"]);
    switch.turn_off();
    assert_eq!(bodies(&health, &time), ["OK", "OK"]);

    fail_and_recover(&health, &time, &database);
    health.drain();
    assert_eq!(bodies(&health, &time), ["DRAINING", "DRAINING"]);

    let latch = StartupLatch::new("migrations");
    let ready = Endpoint::readiness("/ready").recovery_delay(HOUR);
    let (health, time) =
        in_virtual_time(|b| b.register(passing("x")).latch(&latch).endpoint(ready));
    assert_eq!(time.ask_at(&health, "/ready").body(), "STARTING");
    latch.release();
    assert_eq!(time.ask_at(&health, "/ready").body(), "OK");
}

#[test]
fn a_response_without_checks_is_not_delayed() {
    let database = Database::default();
    let (health, time) = in_virtual_time(|b| {
        b.register(database.check()).endpoint(Endpoint::strict("/up").recovery_delay(HOUR))
    });
    for (is_up, body) in [(true, "OK"), (false, "ERROR"), (true, "ERROR")] {
        database.set(is_up);
        assert_eq!(time.ask_at(&health, "/up").body(), body);
        assert_eq!(block_on(health.at("/up").unwrap().respond("")).body(), "OK");
    }
}

#[test]
fn a_return_to_degraded_is_delayed_too() {
    let database = Database::default();
    let mail = Database::default();
    let (health, time) = in_virtual_time(|b| {
        let mail = Check::with("mail", mail, |_| std::future::ready(Err::<(), _>("no route")));
        b.register(database.check())
            .register(mail.optional())
            .endpoint(Endpoint::consul("/consul").recovery_delay(HOUR))
    });
    let ask = || time.ask_at(&health, "/consul");
    database.set(true);
    assert_eq!(ask().body(), "DEGRADED");
    database.set(false);
    assert_eq!(ask().body(), "ERROR");
    database.set(true);
    let asker = ask();
    assert_eq!(asker.body(), "ERROR");
    let entry = r#"{"name":"mail","status":"ERROR","message":"no route"},{"name":null,"#;
    assert!(record(&asker).unwrap().contains(entry), "{:?}", record(&asker));
    time.pass(HOUR);
    assert_eq!(ask().body(), "DEGRADED");
}

#[test]
fn a_watch_and_an_observer_see_what_a_request_sees_and_the_end_within_the_interval() {
    let changes = Arc::new(Mutex::new(Vec::new()));
    let told = changes.clone();
    let observer = move |notification| {
        let Notification::StateChanged(changed) = notification else {
            panic!("{notification:?}");
        };
        if &*changed.path == "/ready" {
            told.lock().unwrap().push(changed.now);
        }
    };
    let (health, time, database) = host(|b| b.state_observer(observer));
    let reader = Reader::of(health.at("/ready").unwrap().watch(), &time);
    assert_eq!(reader.read(), [State::Ok]);
    database.set(false);
    // Another endpoint runs the check.
    time.ask_at(&health, "/now");
    time.settle();
    assert_eq!(reader.read(), [State::Failing]);
    database.set(true);
    time.ask_at(&health, "/now");
    time.settle();
    assert_eq!(reader.read(), []);
    let asker = time.ask_at(&health, "/ready");
    let rest = Duration::from_secs_f64(rest(&asker).unwrap());
    time.pass(rest - SECOND / 1000);
    assert_eq!(reader.read(), []);
    time.pass(SECOND + 2 * SECOND / 1000);
    assert_eq!(reader.read(), [State::Ok]);
    assert_eq!(time.ask_at(&health, "/ready").body(), "OK");
    time.wait_until(|| changes.lock().unwrap().len() == 3);
    assert_eq!(*changes.lock().unwrap(), [State::Ok, State::Failing, State::Ok]);
}

#[test]
fn a_log_of_changes_contains_the_delay_once_and_the_recovery_when_it_is_over() {
    let (health, time, database) = host(|b| b.log_policy(LogPolicy::on_change()));
    let log = || record(&time.ask_at(&health, "/ready"));
    database.set(false);
    assert!(log().unwrap().contains("no route"));
    assert_eq!(log(), None);
    database.set(true);
    assert!(log().unwrap().contains("recovery delayed"));
    for _ in 0..3 {
        assert_eq!(log(), None);
    }
    time.pass(HOUR);
    assert_eq!(log().as_deref(), Some("Health response: OK"));
    assert_eq!(log(), None);
}

#[test]
fn a_request_that_gets_the_outcome_of_a_run_before_the_recovery_does_not_undo_it() {
    let database = Database::default();
    let (health, time) = in_virtual_time(|b| {
        let ready = Endpoint::readiness("/ready").only_checks(["database"]);
        b.register(database.check())
            .register(passing("mail"))
            .endpoint(ready.recovery_delay(SECOND))
            .min_interval(60 * SECOND)
    });
    let ready = || time.ask_at(&health, "/ready");
    database.set(true);
    assert_eq!(ready().body(), "OK");
    time.pass(60 * SECOND);
    database.set(false);
    assert_eq!(ready().body(), "ERROR");
    let reader = Reader::of(health.at("/ready").unwrap().watch(), &time);
    assert_eq!(reader.read(), [State::Failing]);
    time.pass(SECOND);
    // This endpoint has other checks, and so its own run.
    database.set(true);
    assert_eq!(time.ask(&health).body(), "OK");
    time.pass(2 * SECOND);
    assert_eq!(reader.read(), [State::Ok]);
    let asker = ready();
    assert_eq!((asker.body(), rest(&asker)), ("ERROR", None), "the failing run is recent enough");
    time.pass(2 * SECOND);
    assert_eq!(reader.read(), []);
    time.pass(60 * SECOND);
    assert_eq!(ready().body(), "OK");
}

#[test]
fn a_delay_without_effect_or_with_a_bad_one_is_refused() {
    let refusal = |endpoint: Endpoint| {
        let builder = builder().register(passing("database").process_only());
        builder.endpoint(endpoint).build().unwrap_err().to_string()
    };
    let delayed = Endpoint::readiness("/up").recovery_delay(SECOND);
    let no_effect = "Endpoint::recovery_delay has no effect on the endpoint at \"/up\", which runs no \
                     checks: remove the call";
    assert_eq!(refusal(delayed.clone().no_checks()), no_effect);
    assert_eq!(refusal(delayed.clone().run_checks(RunChecks::Never)), no_effect);
    assert_eq!(refusal(Endpoint::liveness("/up").recovery_delay(SECOND)), no_effect);
    assert_eq!(
        builder().endpoint(delayed.clone()).build().unwrap_err().to_string(),
        no_effect,
        "no check is registered"
    );
    assert_eq!(
        refusal(delayed.clone().recovery_delay(Duration::ZERO)),
        "the endpoint at \"/up\" cannot delay its recovery by up to 0ns: it must be longer than zero"
    );
    assert_eq!(
        refusal(Endpoint::liveness("/up").only_checks(["database"]).recovery_delay(SECOND)),
        "the endpoint at \"/up\" cannot delay its recovery by up to 1s: its process would be restarted after \
         it has recovered; use Endpoint::readiness"
    );
    let longest = Endpoint::readiness("/up").recovery_delay(Duration::MAX);
    assert!(builder().register(passing("database")).endpoint(longest).build().is_ok());
}
