//! The service and the layer for tower.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::future::{Ready, poll_fn, ready};
use std::task::{Context, Poll};

use futures::FutureExt as _;
use health_hyper::Health;
use hyper::{Request, Response, StatusCode};
use tower::ServiceBuilder;
use tower_layer::Layer;
use tower_service::Service;

/// An application that is ready in the end, never, or no more, or that rejects every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Application {
    ReadyAfter(u32),
    NeverReady,
    Broken,
    Rejects,
}

impl<B> Service<Request<B>> for Application {
    type Response = Response<String>;
    type Error = &'static str;
    type Future = Ready<Result<Response<String>, &'static str>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        match self {
            Self::ReadyAfter(0) | Self::Rejects => return Poll::Ready(Ok(())),
            Self::ReadyAfter(polls) => *polls -= 1,
            Self::NeverReady => return Poll::Pending,
            Self::Broken => return Poll::Ready(Err("broken")),
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let is_rejected = *self == Self::Rejects;
        assert!(is_rejected || *self == Self::ReadyAfter(0), "called before it was ready");
        let mut response = Response::new("shop".to_owned());
        if is_rejected {
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        }
        ready(Ok(response))
    }
}

async fn status_of(application: Application, target: &str) -> Result<StatusCode, &'static str> {
    let health = Health::builder().build().unwrap();
    let mut service = health_hyper::HealthLayer::new(health).layer(application);
    // At once, whatever the application is.
    let ready = poll_fn(|context| Service::<Request<()>>::poll_ready(&mut service, context));
    ready.now_or_never().unwrap()?;
    let request = Request::get(target).body(()).unwrap();
    let response = Service::call(&mut service, request).await?;
    Ok(response.status())
}

#[tokio::test]
async fn the_endpoint_answers_while_the_application_is_not_ready() {
    for application in [Application::NeverReady, Application::Broken] {
        assert_eq!(status_of(application, "/health").await, Ok(StatusCode::OK));
    }
}

#[tokio::test]
async fn a_request_for_the_application_waits_until_that_is_ready() {
    for polls in [0, 1, 3] {
        let application = Application::ReadyAfter(polls);
        assert_eq!(status_of(application, "/").await, Ok(StatusCode::OK));
    }
}

#[tokio::test]
async fn an_application_that_cannot_be_ready_fails_its_own_requests() {
    assert_eq!(status_of(Application::Broken, "/").await, Err("broken"));
}

/// Rejects every request, as a rate limit or an authentication may.
#[derive(Clone, Copy)]
struct Reject;

impl<S> Layer<S> for Reject {
    type Service = Application;

    fn layer(&self, _: S) -> Application {
        Application::Rejects
    }
}

#[tokio::test]
async fn a_layer_rejects_polls_only_if_it_comes_before_the_endpoints() {
    let health = health_hyper::HealthLayer::new(Health::builder().build().unwrap());
    let request = || Request::get("/health").body(()).unwrap();
    let own = Application::ReadyAfter(0);
    let mut below = ServiceBuilder::new().layer(health.clone()).layer(Reject).service(own);
    assert_eq!(below.call(request()).await.unwrap().status(), StatusCode::OK);
    let mut around = ServiceBuilder::new().layer(Reject).layer(health).service(own);
    let response = around.call(request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
}
