//! The whole conformance suite against each way to serve the endpoint, in this process.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io;

use health_conformance::Server;
use health_conformance::testee::{Application, run_suite};
use health_hyper::Health;

#[cfg(feature = "serve")]
mod served;

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

    use hyper::body::Incoming;
    use hyper::service::service_fn;
    use hyper::{Request, Response, StatusCode};

    async fn respond(
        request: Request<Incoming>,
        application: Application,
    ) -> Result<Response<served::Body>, Infallible> {
        let mut status = StatusCode::OK;
        let body = match request.uri().path() {
            "/application" => served::whole("application"),
            "/slow" => {
                application.finish().await;
                served::whole("finished")
            }
            "/stream" => served::parts(application.stream()),
            _ => {
                status = StatusCode::NOT_FOUND;
                served::whole("")
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Ok(response)
    }

    let serve = |health, application: Application| {
        let app = service_fn(move |request| respond(request, application.clone()));
        served::serve_app(health, app)
    };
    let report = run_suite(serve, "").unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}
