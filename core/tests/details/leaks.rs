//! No format shows a secret below the full level. The formats are those of the contract, so that a new one is covered.

use std::error::Error;
use std::fmt;

use health_core::{
    BearerTokens, Check, CheckResult, DetailLevel, Endpoint, HealthCheckEvent, HealthResponse,
    RunChecks, StartupLatch, State, Unit,
};

use crate::service::{SECRET, Service};

const TOKEN: &str = "hunter2-is-secret-too";
/// The secret as a number.
const NUMBER: f64 = 47_114_711.0;

/// Each way to ask for a document: a query, and a line of `Accept`.
pub(crate) fn requests() -> Vec<(String, String)> {
    let contract = include_str!("../../contract.md");
    let (_, rule) = contract.split_once("| `format` | `Accept` | body |").unwrap();
    let (table, _) = rule.split_once("\n\n").unwrap();
    let mut requests = vec![("verbose".to_owned(), "*/*".to_owned())];
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.split('|').collect();
        let name = cells[1].trim_matches([' ', '`']);
        requests.push((format!("format={name}"), "*/*".to_owned()));
        let types = cells[2].split('`').skip(1).step_by(2);
        requests.extend(types.map(|media_type| (String::new(), media_type.to_owned())));
    }
    assert!(requests.len() > 10, "{requests:?}");
    requests
}

#[derive(Debug)]
struct Cause;

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SECRET)
    }
}

impl Error for Cause {}

#[derive(Debug)]
struct Outer(Cause);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn panics() -> CheckResult {
    std::panic::resume_unwind(Box::new(SECRET))
}

/// An application with the secret in everything that may contain one, in a state.
struct Leaky {
    service: Service,
    directory: tempfile::TempDir,
    latch: Option<StartupLatch>,
}

impl Leaky {
    fn new(latch: Option<StartupLatch>, describe: impl Fn(Endpoint) -> Endpoint) -> Self {
        let directory = tempfile::Builder::new().prefix(SECRET).tempdir().unwrap();
        let disablefile = directory.path().join("disablefile");
        let service = Service::with_disablefile(&disablefile, |builder, _, _| {
            let failing = || {
                let failure = CheckResult::error(SECRET).reason("refused");
                failure.value("hunter2", NUMBER, Unit::Count)
            };
            let message = Check::new("message", move || async move { failing() })
                .description(SECRET)
                .owner(SECRET)
                .runbook(format!("https://example.com/{SECRET}"));
            let passing = || CheckResult::ok().message(SECRET).value("x", NUMBER, Unit::Bytes);
            let checks = [
                message,
                Check::new("chain", || async { Err::<(), _>(Outer(Cause)) }),
                Check::new("panic", || async { panics() }),
                Check::new("passing", move || async move { passing() }),
                Check::new("degraded", || async { CheckResult::degraded(SECRET) }).optional(),
                Check::event("event", |event: &mut HealthCheckEvent| {
                    event.error("a", SECRET);
                    event.degraded("b", SECRET);
                }),
            ];
            let builder = latch.iter().fold(builder, |builder, latch| builder.latch(latch));
            let builder =
                checks.into_iter().fold(builder, |builder, check| builder.register(check));
            let endpoint = Endpoint::strict("/ready").run_checks(RunChecks::OnRequest);
            builder.service(SECRET, SECRET).endpoint(describe(endpoint))
        });
        Self { service, directory, latch }
    }

    /// The responses to a request in each state that it can show one after the other.
    fn responses(mut self, query: &str, headers: &[(&'static str, String)]) -> Vec<HealthResponse> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, &*Box::leak(value.clone().into_boxed_str())))
            .collect();
        let get = |checks: &str| self.service.get(&format!("/ready?{checks}&{query}"), &headers);
        let mut responses = vec![get(""), get("checks=all"), get("")];
        if let Some(latch) = self.latch.take() {
            latch.fail(Outer(Cause));
            responses.push(get(""));
        }
        std::fs::write(self.directory.path().join("disablefile"), "").unwrap();
        responses.push(get(""));
        self.service.health.drain();
        responses.push(get(""));
        responses
    }
}

/// All that a client gets.
fn shown(response: &HealthResponse) -> String {
    let headers = response.headers().map(|(name, value)| format!("{name}: {value}\n"));
    headers.chain([response.reason().to_owned(), response.body().to_owned()]).collect()
}

fn shows_a_secret(response: &HealthResponse) -> bool {
    let shown = shown(response);
    // In any notation.
    ["hunter2", "4711", "4.711", "secret"].iter().any(|text| shown.contains(text))
}

#[test]
fn below_full_no_secret_is_in_any_format_of_any_state() {
    let tokens = BearerTokens::new([TOKEN]).unwrap();
    let wrong = vec![("authorization", format!("Bearer {SECRET}"))];
    for (query, accept) in requests() {
        for headers in [Vec::new(), wrong.clone()] {
            let headers = [headers, vec![("accept", accept.clone())]].concat();
            for latch in [None, Some(StartupLatch::new("cache"))] {
                let leaky = Leaky::new(latch, |endpoint| {
                    endpoint.details(DetailLevel::States).full_details_for(&tokens)
                });
                let responses = leaky.responses(&query, &headers);
                assert!(responses.iter().any(|response| response.state() == State::Failing));
                for response in responses {
                    assert!(
                        !shows_a_secret(&response),
                        "{query} {accept} {:?}: {}",
                        response.state(),
                        shown(&response)
                    );
                }
            }
        }
    }
}

#[test]
fn without_details_every_format_is_the_word() {
    let tokens = BearerTokens::new([TOKEN]).unwrap();
    for (query, accept) in requests() {
        let leaky = Leaky::new(None, |endpoint| endpoint.full_details_for(&tokens));
        for response in leaky.responses(&query, &[("accept", accept.clone())]) {
            assert_eq!(response.body(), response.word().as_str(), "{query} {accept}");
            assert!(!shows_a_secret(&response));
        }
    }
}

/// Or the test above would prove nothing.
#[test]
fn at_full_the_secrets_are_there() {
    let tokens = BearerTokens::new([TOKEN]).unwrap();
    for format in ["json", "health", "spring", "healthchecks-ui", "verbose"] {
        let authorization = vec![("authorization", format!("Bearer {TOKEN}"))];
        let latch = Some(StartupLatch::new("cache"));
        let leaky = Leaky::new(latch, |endpoint| endpoint.full_details_for(&tokens));
        let responses = leaky.responses(&format!("format={format}"), &authorization);
        assert!(responses.iter().any(|response| response.state() == State::Maintenance));
        assert!(
            responses.iter().filter(|response| shows_a_secret(response)).count() > 1,
            "{format}"
        );
    }
}
