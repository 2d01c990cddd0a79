//! *Check*, over a connection.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use health_tonic::{
    Check, CheckResult, Drain, Endpoint, Health, HealthServer, RunChecks, StartupLatch,
};
use tokio::sync::Semaphore;
use tonic::Code;
use tonic::codegen::http::uri::PathAndQuery;

use crate::client::HealthCheckResponse;
use crate::client::ServingStatus::{self, NotServing, Serving};
use crate::log;
use crate::served::{builder, check, client, client_of, serve};

fn ready(health: &Health) -> HealthServer {
    health_tonic::service(health).unwrap()
}

/// What `/ready`, `/live` and `""` show.
async fn statuses(health: &Health) -> [ServingStatus; 3] {
    let mut client = client_of(ready(health)).await;
    let mut statuses = [ServingStatus::Unknown; 3];
    for (status, service) in statuses.iter_mut().zip(["/ready", "/live", ""]) {
        *status = check(&mut client, service).await.unwrap();
    }
    statuses
}

#[tokio::test]
async fn ok_and_degraded_are_serving_and_every_other_state_is_not() {
    let describe = |result: fn() -> CheckResult| {
        builder()
            .check("database", move || async move { result() })
            .endpoint(Endpoint::liveness("/live"))
            .endpoint(Endpoint::readiness("/ready"))
    };
    let health = describe(CheckResult::ok).build().unwrap();
    assert_eq!(statuses(&health).await, [Serving, Serving, Serving], "ok");

    health.maintenance_switch().turn_on();
    assert_eq!(statuses(&health).await, [NotServing, Serving, NotServing], "maintenance");
    health.maintenance_switch().turn_off();
    assert_eq!(statuses(&health).await, [Serving, Serving, Serving], "ok again");
    health.drain();
    assert_eq!(statuses(&health).await, [NotServing, Serving, NotServing], "draining");

    let health = describe(|| CheckResult::degraded("almost full")).build().unwrap();
    assert_eq!(statuses(&health).await, [Serving, Serving, Serving], "degraded");

    let health = describe(|| CheckResult::error("down")).build().unwrap();
    assert_eq!(statuses(&health).await, [NotServing, Serving, NotServing], "failing");

    let latch = StartupLatch::new("cache");
    let health = describe(CheckResult::ok).latch(&latch).build().unwrap();
    assert_eq!(statuses(&health).await, [NotServing, Serving, NotServing], "starting");
    latch.release();
    assert_eq!(statuses(&health).await, [Serving, Serving, Serving], "started");
}

#[tokio::test]
async fn check_runs_the_checks_as_a_request_for_them_does_and_none_of_an_endpoint_that_never_does()
{
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let health = builder()
        .check("counted", move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Err::<(), _>("down") }
        })
        .endpoint(Endpoint::strict("/on-request"))
        .endpoint(Endpoint::strict("/never").run_checks(RunChecks::Never))
        .build()
        .unwrap();
    let mut client = client_of(ready(&health)).await;
    assert_eq!(check(&mut client, "/never").await, Ok(Serving));
    assert_eq!(executions.load(Ordering::SeqCst), 0);
    assert_eq!(check(&mut client, "/on-request").await, Ok(NotServing));
    assert_eq!(executions.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_name_that_no_service_has_is_not_found() {
    let health = builder().endpoint(Endpoint::readiness("/ready")).build().unwrap();
    let mut client = client_of(ready(&health)).await;
    let long = "x".repeat(4000);
    for name in
        ["ready", "/READY", "/ready/", "/ready?checks=all", " ", "/r\u{e9}ady", "\0", "*", &long]
    {
        assert_eq!(check(&mut client, name).await, Err(Code::NotFound), "{name:?}");
    }
    assert_eq!(check(&mut client, "/ready").await, Ok(Serving));
}

#[tokio::test]
async fn a_name_of_a_megabyte_is_refused_unread() {
    let health = builder().build().unwrap();
    let mut client = client_of(ready(&health)).await;
    let name = "x".repeat(1024 * 1024);
    assert_eq!(check(&mut client, &name).await, Err(Code::OutOfRange));
    assert_eq!(check(&mut client, "").await, Ok(Serving));
}

#[tokio::test]
async fn the_longest_name_is_accepted_however_long_it_is() {
    let health = builder().build().unwrap();
    let name = "x".repeat(100 * 1024);
    let server = HealthServer::builder(&health).service(&name, "/health").build().unwrap();
    assert_eq!(check(&mut client_of(server).await, &name).await, Ok(Serving));
}

/// A request whose name can be anything.
#[derive(Clone, PartialEq, prost::Message)]
struct RawRequest {
    #[prost(bytes = "vec", tag = "1")]
    service: Vec<u8>,
}

#[tokio::test]
async fn a_name_that_is_not_utf8_is_an_error_of_that_request_alone() {
    let health = builder().build().unwrap();
    let (address, _) = serve(ready(&health), pending()).await;
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut grpc = tonic::client::Grpc::new(channel.connect().await.unwrap());
    let mut ask = async |service: &[u8]| {
        grpc.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<RawRequest, HealthCheckResponse>::default();
        let path = PathAndQuery::from_static("/grpc.health.v1.Health/Check");
        let request = tonic::Request::new(RawRequest { service: service.to_vec() });
        let response = grpc.unary(request, path, codec).await;
        response.map(|response| response.into_inner().status()).map_err(|error| error.code())
    };
    assert_eq!(ask(b"\xff\xfe").await, Err(Code::Internal));
    assert_eq!(ask(b"/health").await, Ok(Serving));
}

#[tokio::test]
async fn a_check_that_hangs_is_not_serving_when_its_timeout_has_passed() {
    let health = builder()
        .register(Check::new("hangs", pending::<CheckResult>).timeout(Duration::from_millis(20)))
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    let mut client = client_of(ready(&health)).await;
    assert_eq!(check(&mut client, "/ready").await, Ok(NotServing));
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_no_run() {
    let gate = Arc::new(Semaphore::new(0));
    let (started, ended) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let marks = (gate.clone(), started.clone(), ended.clone());
    let health = builder()
        .check("gated", move || {
            let (gate, started, ended) = marks.clone();
            async move {
                started.add_permits(1);
                gate.acquire().await?.forget();
                ended.add_permits(1);
                Ok::<_, tokio::sync::AcquireError>(())
            }
        })
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    let (address, _) = serve(ready(&health), pending()).await;
    let mut leaving = client(address, "leaving").await;
    let leaves = tokio::spawn(async move { check(&mut leaving, "/ready").await });
    started.acquire().await.unwrap().forget();
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());
    gate.add_permits(1);
    ended.acquire().await.unwrap().forget();

    gate.add_permits(1);
    let mut other = client(address, "other").await;
    assert_eq!(check(&mut other, "/ready").await, Ok(Serving));
}

#[tokio::test]
async fn check_is_logged_as_any_poll() {
    let health = builder()
        .check("database", || async { Err::<(), _>("connection refused") })
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    let mut client = client_of(ready(&health)).await;
    assert_eq!(check(&mut client, "/ready").await, Ok(NotServing));
    let text = log::text();
    let record = r#"Health response: ERROR ([{"name":"database","status":"ERROR","message":"connection refused"}])"#;
    assert_eq!(text.matches(record).count(), 1, "{text}");
}

#[tokio::test]
async fn check_is_a_poll_that_a_drain_waits_for_and_has_an_address_and_an_agent() {
    let health = builder().endpoint(Endpoint::readiness("/ready")).build().unwrap();
    // Much less than a poller needs to notice it.
    let drain =
        Drain::at_least(Duration::from_millis(1)).at_most(Duration::from_millis(50)).unwrap();
    let drained = health.drain_when(pending::<()>(), drain);
    let (address, _) = serve(ready(&health), pending()).await;
    let mut kubelet = client(address, "kube-probe/1.34").await;
    let mut envoy = client(address, "Envoy/HC").await;
    assert_eq!(check(&mut kubelet, "/ready").await, Ok(Serving));
    assert_eq!(check(&mut envoy, "/ready").await, Ok(Serving));
    health.drain();
    assert_eq!(check(&mut kubelet, "/ready").await, Ok(NotServing));
    drained.await;
    let text = log::text();
    for (agent, told) in [("kube-probe/1.34 tonic/", 1), ("Envoy/HC tonic/", 0)] {
        let (_, poller) = text.split_once(agent).unwrap();
        let (_, poller) = poller.split_once(' ').unwrap();
        let expected = format!("at 127.0.0.1 on /ready, told {told} of 3 times");
        assert!(poller.starts_with(&expected), "{agent}: {text}");
    }
}
