//! What grpc-health-probe and a kubelet conclude. Both are written in Go; these are the same requests and the same
//! decisions by our client, and not the programs themselves.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use health_tonic::{CheckResult, Endpoint, Health};
use tonic::Code;

use crate::client::ServingStatus;
use crate::served::{builder, check, client, serve};

/// The exit codes of grpc-health-probe.
const HEALTHY: u8 = 0;
const CONNECTION_FAILURE: u8 = 2;
const RPC_FAILURE: u8 = 3;
const UNHEALTHY: u8 = 4;

/// `grpc-health-probe -addr ADDRESS -service SERVICE`, with its timeouts of a second: one *Check* on a new connection.
async fn grpc_health_probe(address: SocketAddr, service: &str) -> u8 {
    let second = Duration::from_secs(1);
    if tokio::net::TcpStream::connect(address).await.is_err() {
        return CONNECTION_FAILURE;
    }
    let mut client = client(address, "grpc_health_probe").await;
    match tokio::time::timeout(second, check(&mut client, service)).await {
        Ok(Ok(ServingStatus::Serving)) => HEALTHY,
        Ok(Ok(_)) => UNHEALTHY,
        Ok(Err(_)) | Err(_) => RPC_FAILURE,
    }
}

/// A probe of a kubelet, whose timeout is a second: a success is `SERVING`, and everything else a failure.
async fn kubelet_probe(address: SocketAddr, service: &str) -> Result<(), String> {
    let mut client = client(address, "kube-probe/1.34").await;
    match tokio::time::timeout(Duration::from_secs(1), check(&mut client, service)).await {
        Ok(Ok(ServingStatus::Serving)) => Ok(()),
        Ok(Ok(status)) => Err(format!("service unhealthy (responded with {status:?})")),
        Ok(Err(Code::Unimplemented)) => Err("this server does not implement it".to_owned()),
        Ok(Err(code)) => Err(format!("error: health rpc failed: {code:?}")),
        Err(_) => Err("timeout: health rpc did not complete within 1s".to_owned()),
    }
}

fn health(result: fn() -> CheckResult) -> Health {
    builder()
        .check("database", move || async move { result() })
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap()
}

async fn served(health: &Health) -> SocketAddr {
    serve(health_tonic::service(health).unwrap(), pending()).await.0
}

#[tokio::test]
async fn grpc_health_probe_exits_with_0_for_serving_alone() {
    let address = served(&health(CheckResult::ok)).await;
    for service in ["", "/live", "/ready"] {
        assert_eq!(grpc_health_probe(address, service).await, HEALTHY, "{service}");
    }
    assert_eq!(grpc_health_probe(address, "shop.Orders").await, RPC_FAILURE);

    let address = served(&health(|| CheckResult::error("down"))).await;
    assert_eq!(grpc_health_probe(address, "").await, UNHEALTHY);
    assert_eq!(grpc_health_probe(address, "/live").await, HEALTHY);

    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(grpc_health_probe(unused, "").await, CONNECTION_FAILURE);
}

#[tokio::test]
async fn a_kubelet_restarts_no_container_that_names_its_liveness_and_is_in_maintenance_or_drains() {
    let health = health(|| CheckResult::error("down"));
    let address = served(&health).await;
    let unhealthy = Err("service unhealthy (responded with NotServing)".to_owned());
    let ask = async || (kubelet_probe(address, "/live").await, kubelet_probe(address, "").await);
    assert_eq!(ask().await, (Ok(()), unhealthy.clone()), "failing");
    health.maintenance_switch().turn_on();
    assert_eq!(ask().await, (Ok(()), unhealthy.clone()), "maintenance");
    health.drain();
    assert_eq!(ask().await, (Ok(()), unhealthy), "draining");
    let unknown = kubelet_probe(address, "live").await;
    assert_eq!(unknown, Err("error: health rpc failed: NotFound".to_owned()));
}
