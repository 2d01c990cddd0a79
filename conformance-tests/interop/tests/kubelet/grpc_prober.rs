//! One gRPC probe, sent and judged as a kubelet does.

use std::net::SocketAddr;
use std::time::Duration;

use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::prober::{AGENT, Outcome};

/// As in the public proto.
#[derive(Clone, PartialEq, prost::Message)]
struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct HealthCheckResponse {
    #[prost(int32, tag = "1")]
    status: i32,
}

const SERVING: i32 = 1;

/// Sends a probe on a new connection. The timeout covers everything.
pub(crate) fn probe(address: SocketAddr, service: &str, timeout: Duration) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer =
        runtime.block_on(async { tokio::time::timeout(timeout, ask(address, service)).await });
    match answer {
        Ok(Ok(SERVING)) => Outcome::Serving,
        Ok(Ok(status)) => {
            Outcome::Failure(format!("service unhealthy (responded with \"{status}\")"))
        }
        Ok(Err(error)) if error.code() == Code::Unimplemented => {
            Outcome::Failure("this server does not implement the grpc health protocol".to_owned())
        }
        Ok(Err(error)) => Outcome::Failure(format!("health rpc failed: {:?}", error.code())),
        Err(_) => {
            Outcome::Failure(format!("timeout: health rpc did not complete within {timeout:?}"))
        }
    }
}

/// Returns the number of the status.
async fn ask(address: SocketAddr, service: &str) -> Result<i32, Status> {
    let failed = |error: tonic::transport::Error| Status::unavailable(error.to_string());
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(failed)?;
    let channel = endpoint.user_agent(AGENT).map_err(failed)?.connect().await.map_err(failed)?;
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.map_err(failed)?;
    let codec = ProstCodec::<_, HealthCheckResponse>::default();
    let path = PathAndQuery::from_static("/grpc.health.v1.Health/Check");
    let request = Request::new(HealthCheckRequest { service: service.to_owned() });
    Ok(grpc.unary(request, path, codec).await?.into_inner().status)
}
