//! *List*, and the names of the services.

use health_tonic::{Endpoint, HealthServer, RunChecks, ServiceError};
use tonic::Code;

use crate::client::ServingStatus::{NotServing, Serving};
use crate::served::{builder, check, client_of, list};

#[tokio::test]
async fn list_returns_every_service_with_the_status_that_check_returns() {
    let health = builder()
        .check("database", || async { Err::<(), _>("down") })
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    let server = HealthServer::builder(&health).service("shop.Orders", "/live").build().unwrap();
    let mut client = client_of(server).await;
    let listed = list(&mut client).await.unwrap();
    let names: Vec<_> = listed.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["", "/health", "/live", "/ready", "shop.Orders"]);
    for (name, status) in listed {
        assert_eq!(check(&mut client, &name).await, Ok(status), "{name}");
        let is_live = ["/live", "shop.Orders"].contains(&&*name);
        assert_eq!(status, if is_live { Serving } else { NotServing }, "{name}");
    }
}

#[tokio::test]
async fn list_returns_a_hundred_services_and_an_error_for_one_more() {
    let named = |count: usize| {
        let health = builder().build().unwrap();
        // With "" and /health.
        let names = (2..count).map(|number| format!("shop.{number}"));
        let server = names
            .fold(HealthServer::builder(&health), |server, name| server.service(name, "/health"));
        server.build().unwrap()
    };
    let mut client = client_of(named(100)).await;
    assert_eq!(list(&mut client).await.unwrap().len(), 100);
    let mut client = client_of(named(101)).await;
    assert_eq!(list(&mut client).await.unwrap_err().code(), Code::ResourceExhausted);
    assert_eq!(check(&mut client, "shop.100").await, Ok(Serving));
}

/// The path of the endpoint of the service `""`.
fn overall(endpoints: impl IntoIterator<Item = Endpoint>) -> Result<String, ServiceError> {
    let builder =
        endpoints.into_iter().fold(builder(), |builder, endpoint| builder.endpoint(endpoint));
    let server = health_tonic::service(builder.build().unwrap())?;
    let path = server.services().find_map(|(name, path)| name.is_empty().then(|| path.to_owned()));
    Ok(path.unwrap())
}

#[test]
fn the_service_without_a_name_is_the_only_endpoint_that_can_be_the_readiness() {
    let live = || Endpoint::liveness("/live");
    let ready = || Endpoint::readiness("/ready");
    assert_eq!(overall([]).as_deref(), Ok("/health"));
    assert_eq!(overall([live()]).as_deref(), Ok("/health"));
    assert_eq!(overall([live(), ready()]).as_deref(), Ok("/ready"));
    let others = [
        Endpoint::startup("/started"),
        Endpoint::nagios("/pager"),
        Endpoint::strict("/cheap").run_checks(RunChecks::Never),
    ];
    assert_eq!(overall(others.clone()).as_deref(), Ok("/health"));
    assert_eq!(overall([&others[..], &[ready()]].concat()).as_deref(), Ok("/ready"));
}

#[test]
fn two_endpoints_that_can_be_the_readiness_are_an_error_that_names_them() {
    let error = overall([Endpoint::readiness("/a"), Endpoint::envoy("/b")]).unwrap_err();
    assert_eq!(error, ServiceError::SeveralReadiness { paths: vec!["/a".into(), "/b".into()] });
    assert_eq!(
        error.to_string(),
        r#"several endpoints fit the service "": choose one of /a, /b with .service("", path)"#
    );
}

#[test]
fn no_endpoint_that_can_be_the_readiness_is_an_error_that_names_those_there_are() {
    let health = builder().endpoint(Endpoint::liveness("/live")).build().unwrap();
    let live = health.at("/live").unwrap();
    let error = health_tonic::service(live.clone()).unwrap_err();
    assert_eq!(error, ServiceError::NoReadiness { paths: vec!["/live".into()] });
    assert!(error.to_string().contains("choose one of /live with"), "{error}");
    let chosen = HealthServer::builder(live).service("", "/live").build();
    assert!(chosen.is_ok());
}

#[test]
fn a_service_of_an_endpoint_that_does_not_exist_and_a_name_twice_are_errors() {
    let health = builder().build().unwrap();
    let error = HealthServer::builder(&health).service("shop", "/ready").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"the service "shop" needs an endpoint at "/ready": there are /health"#
    );
    for name in ["shop", "/health"] {
        let server = HealthServer::builder(&health).service("shop", "/health");
        let error = server.service(name, "/health").build().unwrap_err();
        assert_eq!(error, ServiceError::DuplicateService { service: name.to_owned() });
    }
}
