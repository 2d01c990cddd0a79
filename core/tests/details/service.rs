//! An application in virtual time whose checks do what the test says.

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::sync::mpsc::{TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use health_conformance::testee::VirtualTime;
use health_core::{
    Check, CheckResult, Health, HealthBuilder, HealthConfig, HealthRequest, HealthResponse,
    Runtime as _,
};

/// The text that no reader below the full level may see.
pub(crate) const SECRET: &str = "hunter2-is-secret";

pub(crate) struct Service {
    pub(crate) time: VirtualTime,
    pub(crate) health: Health,
    results: Results,
}

/// What each check returns next, and how long it takes.
#[derive(Clone, Default)]
pub(crate) struct Results(Arc<Mutex<HashMap<&'static str, (Duration, CheckResult)>>>);

impl Results {
    /// A check that is OK until the test says otherwise.
    pub(crate) fn check(&self, time: &VirtualTime, name: &'static str) -> Check {
        let (results, time) = (self.clone(), time.clone());
        Check::new(name, move || {
            let next = results.0.lock().unwrap().get(name).cloned();
            let (duration, result) = next.unwrap_or((Duration::from_millis(2), CheckResult::ok()));
            let sleep = time.sleep_until(time.now() + duration);
            async move {
                sleep.await;
                result
            }
        })
    }
}

impl Service {
    /// `describe` adds checks and endpoints.
    pub(crate) fn new(
        describe: impl FnOnce(HealthBuilder, &Results, &VirtualTime) -> HealthBuilder,
    ) -> Self {
        Self::with_disablefile(Path::new(""), describe)
    }

    /// The same with a disablefile.
    pub(crate) fn with_disablefile(
        disablefile: &Path,
        describe: impl FnOnce(HealthBuilder, &Results, &VirtualTime) -> HealthBuilder,
    ) -> Self {
        let time = VirtualTime::default();
        let results = Results::default();
        let builder = Health::builder()
            .config(HealthConfig::default().with_disablefile(disablefile))
            .runtime(time.clone());
        let health = describe(builder, &results, &time).build().unwrap();
        health.start_on(time.clone());
        time.settle();
        Self { time, health, results }
    }

    /// From now on the check takes this long and returns this.
    pub(crate) fn set(&self, check: &'static str, milliseconds: u64, result: CheckResult) {
        let duration = Duration::from_millis(milliseconds);
        self.results.0.lock().unwrap().insert(check, (duration, result));
    }

    pub(crate) fn pass(&self, seconds: f64) {
        self.time.pass(Duration::from_secs_f64(seconds));
    }

    /// The response to a request to a target such as `/ready?checks=all`, with these headers. Time passes until it comes.
    pub(crate) fn get(
        &self,
        target: &str,
        headers: &[(&'static str, &'static str)],
    ) -> HealthResponse {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let endpoint = self.health.at(path).unwrap();
        let (query, headers) = (query.to_owned(), headers.to_vec());
        self.wait(async move {
            let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
            endpoint.respond(HealthRequest::new(&query).headers(headers)).await
        })
    }

    /// Lets time pass until the future is ready.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let (given, taken) = channel();
        self.time.spawn(Box::pin(async move {
            let _ = given.send(future.await);
        }));
        self.time.settle();
        loop {
            match taken.try_recv() {
                Ok(output) => return output,
                Err(error) => assert_eq!(error, TryRecvError::Empty),
            }
            self.pass(0.001);
        }
    }

    /// Starts the future, and does not wait for it.
    #[cfg(feature = "metrics")]
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.time.spawn(Box::pin(future));
        self.time.settle();
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn now(&self) -> std::time::Instant {
        self.time.now()
    }

    /// The body as JSON, for a request that asks for it.
    pub(crate) fn json(&self, target: &str) -> serde_json::Value {
        let response = self.get(target, &[("Accept", "application/json")]);
        serde_json::from_str(response.body()).unwrap()
    }
}

pub(crate) fn header(response: &HealthResponse, name: &str) -> Option<String> {
    let mut headers = response.headers();
    headers.find(|(other, _)| *other == name).map(|(_, value)| value.into_owned())
}
