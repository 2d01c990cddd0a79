//! Runs scenarios. Scenarios with the same setup share a server, unless one could affect the next. There is one request
//! at a time.

mod session;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use self::session::{Pace, Session, expand_setup, judge_refused, make_open_directory};
use crate::judge::Mismatch;
use crate::judge::finding::{Failure, Finding};
use crate::options::Options;
use crate::report::Report;
use crate::scenario::capability::Lacks;
use crate::scenario::{Scenario, Suite};
use crate::setup::Setup;
use crate::target::journal::Breach;
use crate::target::{Harness, StartError};

/// Maximum number of scenarios for a server in a slow run.
const SCENARIOS_IN_PATIENCE: usize = 12;

/// After this many consecutive scenarios without a response, a server gets no more requests.
const UNANSWERED_LIMIT: usize = 3;

/// Limit for a response that is known not to come.
const KNOWN_SILENCE: Duration = Duration::from_secs(1);

impl Suite {
    /// Runs the scenarios against servers of `harness`. Scenarios with the same setup share a server.
    pub fn run(&self, harness: &dyn Harness, options: &Options) -> Report {
        self.run_watched(harness, options, &|_, _| {})
    }

    /// Like [`run`](Self::run); calls `watch` with the number of finished scenarios and the total.
    pub fn run_watched(
        &self,
        harness: &dyn Harness,
        options: &Options,
        watch: &(dyn Fn(usize, usize) + Sync),
    ) -> Report {
        let mut lacks = harness.lacks();
        lacks.extend(options.known.lacks.clone());
        let mut findings = BTreeMap::new();
        let mut groups: BTreeMap<(&Setup, Pace, &str), Vec<&Scenario>> = BTreeMap::new();
        let chosen = self.scenarios().filter(|scenario| options.chooses(&scenario.id));
        let chosen: Vec<_> =
            chosen.map(|scenario| (scenario, fit(harness, &lacks, scenario))).collect();
        for (scenario, fitted) in &chosen {
            match fitted {
                Ok(fitted) => {
                    // Known surplus lines must not count for other scenarios.
                    let pace = if options.known.expects(scenario.id(), "lines") {
                        Pace::Patient
                    } else {
                        Pace::Fast
                    };
                    let own = if fitted.leaves_traces() { scenario.id() } else { "" };
                    let group = groups.entry((&fitted.setup, pace, own));
                    group.or_default().push(fitted);
                }
                Err(reason) => {
                    findings.insert(scenario.id(), Finding::Skipped(reason.clone()));
                }
            }
        }
        let run = Run { harness, options, lacks: &lacks, breaches: Mutex::default() };
        let (skipped, total) = (findings.len(), chosen.len());
        let groups =
            groups.iter().map(|((setup, pace, _), scenarios)| (*setup, &scenarios[..], *pace));
        let doubtful = run.all(groups.collect(), &mut findings, &|done| {
            watch(skipped + done, total);
        });
        // Surplus lines may belong to any scenario on their server: run these again, slowly.
        let parts = doubtful.iter().flat_map(|(setup, scenarios, _)| {
            let parts = scenarios.chunks(SCENARIOS_IN_PATIENCE);
            parts.map(move |part| (*setup, part, Pace::Patient))
        });
        run.all(parts.collect(), &mut findings, &|_| {});
        run.settle(doubtful, &mut findings);
        run.charge_breaches(&mut findings);

        let judged = chosen.iter().map(|(scenario, fitted)| {
            let interrupted = || Finding::Skipped("the run was interrupted".to_owned());
            let finding = findings.remove(scenario.id()).unwrap_or_else(interrupted);
            (fitted.as_ref().unwrap_or(scenario), finding)
        });
        Report::new(self, judged.collect(), &lacks, options)
    }
}

/// The adapted scenario, or the reason why it is skipped.
fn fit(harness: &dyn Harness, lacks: &Lacks, scenario: &Scenario) -> Result<Scenario, String> {
    match scenario.needs().iter().find_map(|need| lacks.get(need)) {
        Some(reason) => Err(reason.clone()),
        None => harness.fit(scenario),
    }
}

/// Scenarios for one server.
type Group<'a> = (&'a Setup, &'a [&'a Scenario], Pace);

struct Run<'a> {
    harness: &'a dyn Harness,
    options: &'a Options,
    lacks: &'a Lacks,
    /// Rules of the testee protocol that the program breaks, each with the scenario that reports it: most are
    /// broken in every scenario, and one report is enough.
    breaches: Mutex<BTreeMap<Breach, String>>,
}

impl Run<'_> {
    /// Runs the groups concurrently, and returns those with surplus lines that may be false alarms.
    fn all<'a>(
        &self,
        groups: Vec<Group<'a>>,
        findings: &mut BTreeMap<&'a str, Finding>,
        watch: &(dyn Fn(usize) + Sync),
    ) -> Vec<Group<'a>> {
        // A server that writes its lines before its response needs no waiting.
        let is_prompt = self.harness.patience().is_zero();
        let waiting = Mutex::new(groups.into_iter());
        let found = Mutex::new(findings);
        let doubtful = Mutex::new(Vec::new());
        let done = Mutex::new(0);
        let work = || {
            loop {
                let Some((setup, scenarios, pace)) = lock(&waiting).next() else {
                    break;
                };
                let pace = if is_prompt { Pace::Patient } else { pace };
                if self.options.interrupt.is_set() {
                    break;
                }
                let ids = scenarios.iter().map(|scenario| scenario.id());
                let play = || self.group(setup, scenarios, pace);
                // A panic of a harness must not prevent the report.
                let played = catch_unwind(AssertUnwindSafe(play))
                    .unwrap_or_else(|_| (fail_all(scenarios, "the harness panicked"), false));
                let (judged, has_surplus) = played;
                lock(&found).extend(ids.zip(judged));
                if has_surplus && pace == Pace::Fast {
                    lock(&doubtful).push((setup, scenarios, pace));
                }
                let mut done = lock(&done);
                *done += scenarios.len();
                watch(*done);
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.options.jobs.max(1) {
                scope.spawn(work);
            }
        });
        doubtful.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Surplus lines that did not come again in the slow run may be due to a slow machine, or to a server that needs
    /// many requests to go wrong. If they come again in a hurry, they are that server's, and its last scenario
    /// fails at least.
    fn settle<'a>(&self, doubtful: Vec<Group<'a>>, findings: &mut BTreeMap<&'a str, Finding>) {
        let is_explained = |scenarios: &[&Scenario], findings: &BTreeMap<&str, Finding>| {
            let mut found = scenarios.iter().filter_map(|scenario| findings.get(scenario.id()));
            found.any(Finding::is_about_lines)
        };
        let unexplained = doubtful.into_iter();
        let unexplained =
            unexplained.filter(|(_, scenarios, _)| !is_explained(scenarios, findings));
        let mut again = BTreeMap::new();
        for (_, scenarios, _) in self.all(unexplained.collect(), &mut again, &|_| {}) {
            for scenario in scenarios {
                findings.extend(again.remove_entry(scenario.id()));
            }
            if let (false, Some(last)) = (is_explained(scenarios, findings), scenarios.last()) {
                let what =
                    Mismatch::new("lines", "no line without a request", "lines without a request");
                let failure = Failure::unless_empty("the end", vec![what]);
                findings.insert(last.id(), Finding::of(Vec::from_iter(failure)));
            }
        }
    }

    fn charge_breaches(&self, findings: &mut BTreeMap<&str, Finding>) {
        for (breach, id) in &*lock(&self.breaches) {
            let what = Mismatch::new("protocol", &breach.expected, &breach.got);
            let failure = Failure::unless_empty("the program", vec![what]);
            if let (Some(failure), Some(finding)) = (failure, findings.get_mut(id.as_str())) {
                finding.add(failure);
            }
        }
    }

    /// Returns a finding for each scenario, in order, and whether there were surplus lines.
    fn group(&self, setup: &Setup, scenarios: &[&Scenario], pace: Pace) -> (Vec<Finding>, bool) {
        let mut findings = Vec::new();
        let mut has_surplus = false;
        // A server that has ended is started again for the remaining scenarios.
        while findings.len() < scenarios.len() {
            let left = &scenarios[findings.len()..];
            let (found, surplus) = self.server(setup, left, pace);
            findings.extend(found);
            has_surplus |= surplus;
        }
        (findings, has_surplus)
    }

    /// Returns at least one finding, and fewer than there are scenarios if the server has ended.
    fn server(&self, setup: &Setup, scenarios: &[&Scenario], pace: Pace) -> (Vec<Finding>, bool) {
        let fail_all = |what: String| (fail_all(scenarios, &what), false);
        let directory = match tempfile::tempdir() {
            Ok(directory) => directory,
            Err(error) => return fail_all(format!("cannot create a temporary directory: {error}")),
        };
        if let Err(error) = make_open_directory(directory.path()) {
            return fail_all(format!("cannot create a world-writable directory: {error}"));
        }
        let setup = expand_setup(setup, directory.path());
        let warnings = scenarios.iter().map(|scenario| scenario.start_warnings);
        let warnings = warnings.max().unwrap_or_default();
        let (harness, lacks) = (self.harness, self.lacks);
        let (directory, eventually) = (directory.path(), self.options.eventually);
        let session =
            match Session::start(harness, &setup, lacks, directory, pace, eventually, warnings) {
                Ok(session) => session,
                Err(StartError::Failed(what)) => return fail_all(what),
                Err(StartError::Refused(message)) => {
                    let judged = scenarios.iter().map(|s| judge_refused(s, &setup, &message));
                    return (judged.collect(), false);
                }
            };
        let mut findings: Vec<Finding> = Vec::new();
        let mut unanswered = 0;
        for scenario in scenarios {
            if self.options.interrupt.is_set() {
                findings.push(Finding::Skipped("the run was interrupted".to_owned()));
                continue;
            }
            // A server may reject three odd requests in a row; a plain one shows whether it has stopped responding.
            if unanswered == UNANSWERED_LIMIT {
                let answers = session.answers(self.options.timeout);
                unanswered = if answers { 0 } else { UNANSWERED_LIMIT + 1 };
            }
            if unanswered > UNANSWERED_LIMIT {
                let what = "not run: the three scenarios before got no response";
                findings.extend(self::fail_all(&[*scenario], what));
                continue;
            }
            let finding = session.play(scenario, self.limit(scenario), &self.options.interrupt);
            unanswered = if finding.is_without_answer() { unanswered + 1 } else { 0 };
            findings.push(finding);
            if unanswered > 0 && !session.accepts() {
                break;
            }
        }
        let (has_surplus, breaches) = session.end();
        if let Some(last) = scenarios[..findings.len()].last() {
            let mut known = lock(&self.breaches);
            for breach in breaches {
                known.entry(breach).or_insert_with(|| last.id().to_owned());
            }
        }
        (findings, has_surplus)
    }

    /// The limit for a response in a scenario.
    fn limit(&self, scenario: &Scenario) -> Duration {
        if self.options.known.expects(scenario.id(), "response") {
            self.options.timeout.min(KNOWN_SILENCE)
        } else {
            self.options.timeout
        }
    }
}

fn fail_all(scenarios: &[&Scenario], what: &str) -> Vec<Finding> {
    let failed = scenarios
        .iter()
        .map(|scenario| Finding::Failed(vec![Failure::of_start(scenario.start, what)]));
    failed.collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::SCENARIOS_IN_PATIENCE;
    use crate::options::Options;
    use crate::scenario::Suite;
    use crate::setup::Setup;
    use crate::target::journal::{Journal, Line};
    use crate::target::{Harness, Server, StartError};

    /// A server that calls the function for each connection.
    struct ScriptedServer<F> {
        converse: F,
        servers: Arc<AtomicUsize>,
        patience: Duration,
    }

    impl<F> ScriptedServer<F> {
        fn new(converse: F) -> Self {
            Self { converse, servers: Arc::default(), patience: Duration::from_millis(200) }
        }
    }

    impl<F> Harness for ScriptedServer<F>
    where
        F: Fn(&mut TcpStream, &str, &Journal) -> bool + Clone + Send + Sync + 'static,
    {
        fn start(&self, _: &Setup, journal: &Journal) -> Result<Server, StartError> {
            self.servers.fetch_add(1, Ordering::Relaxed);
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let address = listener.local_addr().unwrap();
            let (converse, journal) = (self.converse.clone(), journal.clone());
            thread::spawn(move || {
                while let Ok((mut stream, _)) = listener.accept() {
                    let mut request = [0; 1024];
                    let count = stream.read(&mut request).unwrap_or_default();
                    let request = String::from_utf8_lossy(&request[..count]);
                    let target = request.split(' ').nth(1).unwrap_or_default();
                    if !target.is_empty() && !converse(&mut stream, target, &journal) {
                        // Before the client sees that the connection has ended.
                        drop(listener);
                        break;
                    }
                }
            });
            Ok(Server::new(address, || {}))
        }

        fn patience(&self) -> Duration {
            self.patience
        }
    }

    fn is_found(stream: &mut TcpStream) -> bool {
        let head = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).is_ok()
    }

    /// Scenarios with requests for `/a`, `/b` and so on, where nothing is.
    fn suite(targets: &[&str]) -> Suite {
        suite_of("[plain]", targets, "response='not-found'")
    }

    fn suite_of(setup: &str, targets: &[&str], step: &str) -> Suite {
        let scenario = |target: &&str| {
            format!(
                "[[scenario]]\nid='path/{target}'\nrule='H1'\ntitle='s'\nstep=[{{target='/{target}',{step}}}]\n"
            )
        };
        let scenarios: String = targets.iter().map(scenario).collect();
        let rules = "rule = [{ id = 'H1', title = 't', sentence = 's', why = 'p' }]";
        Suite::load(rules, setup, &[("path", &scenarios)]).unwrap()
    }

    fn failed(targets: &[&str], harness: &dyn Harness) -> Vec<String> {
        failed_of(&suite(targets), harness)
    }

    fn failed_of(suite: &Suite, harness: &dyn Harness) -> Vec<String> {
        let options = Options { timeout: Duration::from_millis(500), ..Options::default() };
        let report = suite.run(harness, &options);
        report.failed().map(str::to_owned).collect()
    }

    #[test]
    fn a_line_that_comes_late_and_should_not_is_put_down_to_its_scenario() {
        let server =
            ScriptedServer::new(|stream: &mut TcpStream, target: &str, journal: &Journal| {
                if target == "/a" {
                    let journal = journal.clone();
                    thread::spawn(move || {
                        thread::sleep(Duration::from_millis(20));
                        journal.record(Line::Check("surplus".to_owned()));
                    });
                }
                is_found(stream)
            });
        assert_eq!(failed(&["a", "b"], &server), ["path/a"]);
    }

    #[test]
    fn one_server_serves_all_scenarios_that_are_given_the_same() {
        let server =
            ScriptedServer::new(|stream: &mut TcpStream, _: &str, _: &Journal| is_found(stream));
        assert_eq!(failed(&["a", "b", "c", "d", "e"], &server), Vec::<String>::new());
        assert_eq!(server.servers.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_server_that_would_remember_a_scenario_is_started_for_each() {
        let server =
            ScriptedServer::new(|stream: &mut TcpStream, _: &str, _: &Journal| is_found(stream));
        let slow = "[plain]\nchecks=[{name='db',behaviour='slow:1'}]";
        let suite = suite_of(slow, &["a", "b", "c"], "response='not-found'");
        assert_eq!(failed_of(&suite, &server), Vec::<String>::new());
        assert_eq!(server.servers.load(Ordering::Relaxed), 3);
    }

    /// Answers 200 twice, and then finds nothing.
    fn changes(asked: &AtomicUsize, stream: &mut TcpStream) -> bool {
        if asked.fetch_add(1, Ordering::Relaxed) >= 2 {
            return is_found(stream);
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).is_ok()
    }

    #[test]
    fn a_server_is_asked_until_it_answers_so_unless_it_answers_otherwise_meanwhile() {
        for (step, expected, count) in [
            ("response='not-found',until=true", vec![], 3),
            ("response='not-found',until=true,meanwhile='ok'", vec![], 3),
            ("response='not-found',until=true,meanwhile='error'", vec!["path/a".to_owned()], 1),
            ("response='not-found'", vec!["path/a".to_owned()], 1),
        ] {
            let asked = Arc::new(AtomicUsize::new(0));
            let counted = asked.clone();
            let mut server =
                ScriptedServer::new(move |stream: &mut TcpStream, _: &str, _: &Journal| {
                    changes(&counted, stream)
                });
            server.patience = Duration::ZERO;
            let suite = suite_of("[plain]", &["a"], step);
            assert_eq!(failed_of(&suite, &server), expected, "{step}");
            assert_eq!(asked.load(Ordering::Relaxed), count, "{step}");
        }
    }

    #[test]
    fn a_server_that_ends_fails_the_scenario_that_ended_it_and_no_other() {
        let server = ScriptedServer::new(|stream: &mut TcpStream, target: &str, _: &Journal| {
            target != "/b" && is_found(stream)
        });
        assert_eq!(failed(&["a", "b", "c"], &server), ["path/b"]);
        assert_eq!(server.servers.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_server_that_falls_silent_is_asked_three_times_and_once_more() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let server = ScriptedServer::new(move |stream: &mut TcpStream, _: &str, _: &Journal| {
            count.fetch_add(1, Ordering::Relaxed);
            stream.write_all(b"HTTP/1.1 200 OK\r\n").is_ok()
        });
        let all = ["path/a", "path/b", "path/c", "path/d", "path/e"];
        assert_eq!(failed(&["a", "b", "c", "d", "e"], &server), all);
        assert_eq!(asked.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn a_server_that_never_stops_talking_is_not_waited_for() {
        let server = ScriptedServer::new(|stream: &mut TcpStream, _: &str, journal: &Journal| {
            let journal = journal.clone();
            thread::spawn(move || {
                loop {
                    journal.record(Line::Check("heartbeat".to_owned()));
                    thread::sleep(Duration::from_millis(50));
                }
            });
            is_found(stream)
        });
        assert!(!failed(&["a", "b"], &server).is_empty());
    }

    #[test]
    fn a_line_too_many_that_takes_many_requests_is_not_forgotten() {
        thread_local! {
            // Each server runs on its own thread.
            static REQUESTS: Cell<usize> = const { Cell::new(0) };
        }
        let mut server =
            ScriptedServer::new(|stream: &mut TcpStream, _: &str, journal: &Journal| {
                REQUESTS.set(REQUESTS.get() + 1);
                if REQUESTS.get() > SCENARIOS_IN_PATIENCE {
                    journal.record(Line::Check("surplus".to_owned()));
                }
                is_found(stream)
            });
        server.patience = Duration::from_millis(100);
        let targets: Vec<_> = (0..=SCENARIOS_IN_PATIENCE).map(|n| n.to_string()).collect();
        let targets: Vec<_> = targets.iter().map(String::as_str).collect();
        assert_eq!(failed(&targets, &server), ["path/12"]);
    }

    #[test]
    fn a_harness_that_panics_fails_its_scenarios() {
        struct Panics;
        impl Harness for Panics {
            fn start(&self, _: &Setup, _: &Journal) -> Result<Server, StartError> {
                panic!("a panic of this test")
            }
        }
        assert_eq!(failed(&["a"], &Panics), ["path/a"]);
    }

    #[test]
    fn a_scenario_with_commands_is_skipped_for_a_server_that_takes_none() {
        let scenario = "[[scenario]]\nid='path/a'\nrule='H1'\ntitle='s'\nneeds=['drain']\n\
            step=[{commands=['DRAIN'],response='draining'}]";
        let rules = "rule = [{ id = 'H1', title = 't', sentence = 's', why = 'p' }]";
        let suite = Suite::load(rules, "[plain]", &[("path", scenario)]).unwrap();
        let server =
            ScriptedServer::new(|stream: &mut TcpStream, _: &str, _: &Journal| is_found(stream));
        let report = suite.run(&server, &Options::default()).to_string();
        let words = "skipped  path/a: this server accepts no commands";
        assert!(report.contains(words), "{report}");
    }
}
