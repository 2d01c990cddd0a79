//! The whole conformance suite against each way to serve the endpoint, in this process.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io;

use health_conformance::Server;
use health_conformance::testee::{Application, run_suite};
use health_hyper::Health;

fn passes_every_scenario(serve: impl Fn(Health, Application) -> io::Result<Server> + Sync) {
    let report = run_suite(serve, include_str!("known.toml")).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

#[test]
fn every_scenario_passes() {
    passes_every_scenario(health_testees::hyper::serve);
}

#[cfg(feature = "tower")]
#[test]
fn every_scenario_passes_over_tower() {
    use hyper_util::service::TowerToHyperService;
    use tower_layer::Layer as _;

    passes_every_scenario(|health, _| {
        health_testees::hyper::serve_app(|| {
            let app = health_hyper::HealthLayer::new(health).layer(Nothing);
            TowerToHyperService::new(app)
        })
    });
}

/// An application without a path.
#[cfg(feature = "tower")]
#[derive(Clone)]
struct Nothing;

#[cfg(feature = "tower")]
impl<B> tower_service::Service<hyper::Request<B>> for Nothing {
    type Response = hyper::Response<String>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: hyper::Request<B>) -> Self::Future {
        let mut missing = hyper::Response::default();
        *missing.status_mut() = hyper::StatusCode::NOT_FOUND;
        std::future::ready(Ok(missing))
    }
}

#[cfg(feature = "listener")]
#[test]
fn every_scenario_passes_on_the_listener_of_its_own() {
    passes_every_scenario(|health, _| {
        let application =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
        let inside = application.enter();
        let listener = health_hyper::listen("127.0.0.1:0", health)?;
        drop(inside);
        // The listener itself goes on.
        Ok(Server::new(listener.local_addr(), || {
            application.shutdown_background();
        }))
    });
}

#[cfg(feature = "serve")]
#[test]
fn every_scenario_passes_on_the_server() {
    use std::convert::Infallible;
    use std::future::{pending, ready};

    use hyper::service::service_fn;
    use hyper::{Response, StatusCode};

    passes_every_scenario(|health| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let inside = runtime.enter();
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let app = service_fn(|_| {
            let mut missing = Response::new(String::new());
            *missing.status_mut() = StatusCode::NOT_FOUND;
            ready(Ok::<_, Infallible>(missing))
        });
        runtime.spawn(health_hyper::serve(listener, move |_| app, health, pending()));
        drop(inside);
        Ok(Server::new(address, || runtime.shutdown_background()))
    });
}
