//! What the middleware allocates for a response of the application.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, HttpResponse, web};
use allocation_counter::measure;
use futures::FutureExt as _;
use health_actix_web::{Health, middleware};

/// The allocations of the third request. actix-web keeps what it allocates for the first ones.
async fn allocations<T, B>(app: App<T>, path: &str) -> u64
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let app = init_service(app).await;
    for _ in 0..2 {
        app.call(TestRequest::with_uri(path).to_request()).await.unwrap();
    }
    let third = TestRequest::with_uri(path).to_request();
    measure(|| drop(app.call(third).now_or_never().unwrap())).count_total
}

/// How many more a request of `path` makes if the application is covered.
async fn added(path: &str) -> u64 {
    async fn stream() -> HttpResponse {
        HttpResponse::Ok().streaming(futures::stream::pending::<Result<_, Error>>())
    }
    let app = || {
        let app = App::new().route("/", web::get().to(async || "application"));
        let app = app.route("/largest", web::get().to(async || "x".repeat(64 * 1024)));
        let app = app.route("/too-large", web::get().to(async || "x".repeat(64 * 1024 + 1)));
        app.route("/stream", web::get().to(stream))
    };
    let health = Health::builder().build().unwrap();
    let covered = allocations(app().wrap(middleware(&health)), path).await;
    assert_eq!(health.active_requests(), 0);
    covered - allocations(app(), path).await
}

#[actix_web::test]
async fn a_response_is_covered_without_an_allocation() {
    assert_eq!(added("/").await, 0);
    assert_eq!(added("/largest").await, 0);
}

#[actix_web::test]
async fn a_body_that_outlasts_the_head_is_boxed_once() {
    assert_eq!(added("/too-large").await, 1);
    assert_eq!(added("/stream").await, 1);
}
