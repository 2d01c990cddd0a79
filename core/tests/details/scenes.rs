//! One application in each state, for every format.

use std::time::Duration;

use health_core::{
    BearerTokens, Check, CheckResult, Endpoint, HealthCheckEvent, HealthResponse, StartupLatch,
    State, Unit,
};

use crate::service::Service;

const TOKEN: &str = "c3VjaCBhIHNlY3JldA==";

/// An application in one state, whose every reader sees the level states, and one with a token sees all.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) state: State,
    pub(crate) service: Service,
    /// A latch that is dropped has failed.
    latch: Option<StartupLatch>,
}

/// What a reader sends, by the name of the level that it sees.
pub(crate) const READERS: [(&str, Option<&str>); 2] =
    [("states", None), ("full", Some("Bearer c3VjaCBhIHNlY3JldA=="))];

impl Scene {
    fn new(name: &'static str, state: State, endpoint: Endpoint) -> Self {
        Self::with_latch(name, state, endpoint, None)
    }

    fn with_latch(
        name: &'static str,
        state: State,
        endpoint: Endpoint,
        latch: Option<StartupLatch>,
    ) -> Self {
        let tokens = BearerTokens::new([TOKEN]).unwrap();
        let service = Service::new(|builder, results, time| {
            let database = results
                .check(time, "database")
                .description("orders and stock")
                .owner("the shop team")
                .runbook("https://example.com/runbooks/database");
            let disks = Check::event("disks", |event: &mut HealthCheckEvent| {
                let full = |bytes| CheckResult::ok().value("free", bytes, Unit::Bytes);
                event.result("system", full(2e9));
                event.result("data", full(5e8).message("75 % used"));
            });
            let queue = results.check(time, "queue").every(Duration::from_secs(60));
            let builder = latch.iter().fold(builder, |builder, latch| builder.latch(latch));
            builder
                .register(database)
                .register(results.check(time, "cache:eu").optional())
                .register(disks)
                .register(queue)
                .service("shop", "1.4.2")
                .endpoint(
                    endpoint.details(health_core::DetailLevel::States).full_details_for(&tokens),
                )
        });
        service.pass(1.0);
        Self { name, state, service, latch }
    }

    /// The response of this scene in a format, to a reader.
    pub(crate) fn get(&self, format: &str, authorization: Option<&'static str>) -> HealthResponse {
        let headers: Vec<_> =
            authorization.map(|value| ("Authorization", value)).into_iter().collect();
        self.service.get(&format!("/ready?format={format}"), &headers)
    }
}

/// Makes each state that has its own documents. Time passes with each request, so every document has its own scene.
pub(crate) const SCENES: [fn() -> Scene; 10] = [
    ok,
    not_run,
    degraded,
    failing,
    recovering,
    starting,
    start_failed,
    maintenance,
    maintenance_299,
    draining,
];

fn ready() -> Endpoint {
    Endpoint::readiness("/ready")
}

fn refused() -> CheckResult {
    let failure = CheckResult::error("connect to 10.0.0.7: connection refused");
    failure.reason("refused").value("connections", 0.0, Unit::Count)
}

fn ok() -> Scene {
    let scene = Scene::new("ok", State::Ok, ready());
    scene.service.get("/ready", &[]);
    scene.service.pass(1.0);
    scene
}

fn not_run() -> Scene {
    Scene::new("not-run", State::Ok, Endpoint::strict("/ready"))
}

fn degraded() -> Scene {
    let scene = Scene::new("degraded", State::Degraded, ready());
    let slow = CheckResult::degraded("answered after 412 ms").reason("slow");
    scene.service.set("database", 412, slow);
    scene.service.set("cache:eu", 3, CheckResult::error("no route to host"));
    scene
}

fn failing() -> Scene {
    let scene = Scene { name: "failing", state: State::Failing, ..ok() };
    scene.service.set("database", 3, refused());
    scene
}

/// The delay is random: see the golden files.
fn recovering() -> Scene {
    // So long that the delay never ends by chance.
    let delayed = ready().recovery_delay(Duration::from_secs(1_000_000));
    let scene = Scene::new("recovering", State::Failing, delayed);
    for result in [CheckResult::ok(), refused(), CheckResult::ok()] {
        scene.service.set("database", 3, result);
        scene.service.get("/ready", &[]);
        scene.service.pass(1.0);
    }
    scene
}

fn starting() -> Scene {
    let latch = StartupLatch::new("migrations");
    Scene::with_latch("starting", State::Starting, ready(), Some(latch))
}

fn start_failed() -> Scene {
    let mut scene = Scene { name: "start-failed", state: State::Failing, ..starting() };
    scene.latch.take().unwrap().fail("relation \"orders\" is locked");
    scene
}

fn maintenance() -> Scene {
    let scene = Scene { name: "maintenance", state: State::Maintenance, ..ok() };
    scene.service.health.maintenance_switch().turn_on();
    scene
}

/// With a code that is no failure.
fn maintenance_299() -> Scene {
    let endpoint = Endpoint::pyramid("/ready");
    let scene = Scene::new("maintenance-299", State::Maintenance, endpoint);
    scene.service.health.maintenance_switch().turn_on();
    scene
}

fn draining() -> Scene {
    let scene = Scene { name: "draining", state: State::Draining, ..ok() };
    scene.service.health.drain();
    scene
}
