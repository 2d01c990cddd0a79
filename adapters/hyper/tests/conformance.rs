//! The whole conformance suite against each way to serve the endpoint, in this process.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io;

use health_conformance::Server;
use health_conformance::testee::{Application, run_suite};
use health_hyper::Health;

#[cfg(feature = "serve")]
mod served;

fn passes_every_scenario(
    serve: impl Fn(Health, Application) -> io::Result<Server> + Sync,
    lacks: &str,
) {
    let known = [include_str!("known.toml"), lacks].concat();
    let report = run_suite(serve, &known).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

#[test]
fn every_scenario_passes() {
    passes_every_scenario(health_testees::hyper::serve, "");
}

#[cfg(feature = "tower")]
#[test]
fn every_scenario_passes_over_tower() {
    use hyper_util::service::TowerToHyperService;
    use tower_layer::Layer as _;

    let serve = |health, application| {
        health_testees::hyper::serve_app(|| {
            let app = health_hyper::HealthLayer::new(health).layer(Pages(application));
            TowerToHyperService::new(app)
        })
    };
    passes_every_scenario(serve, "");
}

/// An application for tower.
#[cfg(feature = "tower")]
#[derive(Clone)]
struct Pages(Application);

#[cfg(feature = "tower")]
impl<B> tower_service::Service<hyper::Request<B>> for Pages {
    type Response = hyper::Response<health_testees::hyper::PageBody>;
    type Error = std::convert::Infallible;
    type Future = health_testees::hyper::PageFuture;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: hyper::Request<B>) -> Self::Future {
        health_testees::hyper::page(self.0.clone(), &request)
    }
}

#[cfg(feature = "listener")]
#[test]
fn every_scenario_passes_on_the_listener_of_its_own() {
    let serve = |health, _| {
        let application =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
        let inside = application.enter();
        let listener = health_hyper::listen("127.0.0.1:0", health)?;
        drop(inside);
        // The listener itself goes on.
        Ok(Server::new(listener.local_addr(), || {
            application.shutdown_background();
        }))
    };
    passes_every_scenario(serve, health_testees::NO_APPLICATION);
}

#[cfg(feature = "serve")]
#[test]
fn every_scenario_passes_on_the_server() {
    use hyper::service::service_fn;

    let serve = |health, application: Application| {
        let app =
            service_fn(move |request| health_testees::hyper::page(application.clone(), &request));
        served::serve_app(health, app)
    };
    passes_every_scenario(serve, "");
}
