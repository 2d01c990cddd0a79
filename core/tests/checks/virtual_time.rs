//! Requests in virtual time.

use std::sync::{Arc, Mutex};

use futures::future::{AbortHandle, abortable};
pub(crate) use health_conformance::testee::VirtualTime;
use health_core::{Answer, Health, HealthResponse, Runtime as _};

use crate::{Results, results_of};

pub(crate) trait Ask {
    /// Starts a request for the checks, in its own task, as a server does.
    fn ask(&self, health: &Health) -> Asker {
        self.ask_at(health, health.config().url())
    }

    /// The same for another endpoint.
    fn ask_at(&self, health: &Health, path: &str) -> Asker;
}

impl Ask for VirtualTime {
    fn ask_at(&self, health: &Health, path: &str) -> Asker {
        let answer = Arc::new(Mutex::new(None));
        let endpoint = health.at(path).unwrap();
        let given = answer.clone();
        let (task, abort) = abortable(async move {
            let answer = endpoint.answer("checks=all").await;
            *given.lock().unwrap() = Some(answer);
        });
        self.spawn(Box::pin(async { task.await.unwrap_or_default() }));
        self.settle();
        Asker { answer, abort }
    }
}

/// A client that has sent a request.
pub(crate) struct Asker {
    answer: Arc<Mutex<Option<Answer>>>,
    abort: AbortHandle,
}

impl Asker {
    pub(crate) fn is_answered(&self) -> bool {
        self.answer.lock().unwrap().is_some()
    }

    /// The results of the response, which must have arrived; none if it is OK.
    pub(crate) fn results(&self) -> Results {
        results_of(self.answer.lock().unwrap().as_ref().unwrap())
    }

    /// The response with its records, which must have arrived.
    pub(crate) fn answer(&self) -> Answer {
        self.answer.lock().unwrap().clone().unwrap()
    }

    /// The body of the response, which must have arrived.
    pub(crate) fn body(&self) -> &'static str {
        self.response().word().as_str()
    }

    /// The response, which must have arrived.
    pub(crate) fn response(&self) -> HealthResponse {
        let answer = self.answer.lock().unwrap();
        answer.as_ref().unwrap().response()
    }

    /// Disconnects, which drops the handler of the request.
    pub(crate) fn leave(self) {
        self.abort.abort();
    }
}
