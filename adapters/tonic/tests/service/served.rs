//! A server of tonic with the service, and a client on a connection to it.

use std::future::Future;
use std::net::SocketAddr;

use health_tonic::{Health, HealthBuilder, HealthConfig, HealthServer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Status};

use crate::client::{HealthCheckRequest, HealthClient, HealthListRequest, ServingStatus};
use crate::log;

/// Endpoints without a disablefile.
pub(crate) fn builder() -> HealthBuilder {
    log::start();
    Health::builder().config(HealthConfig::default().with_disablefile(""))
}

/// Serves until `drained`, and returns the address and the task.
pub(crate) async fn serve(
    server: HealthServer,
    drained: impl Future<Output = ()> + Send + 'static,
) -> (SocketAddr, JoinHandle<Result<(), tonic::transport::Error>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().add_service(server);
    let served = server.serve_with_incoming_shutdown(TcpIncoming::from(listener), drained);
    (address, tokio::spawn(served))
}

/// A client whose requests have this `User-Agent`, among others.
pub(crate) async fn client(address: SocketAddr, agent: &str) -> HealthClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = endpoint.user_agent(agent).unwrap().connect().await.unwrap();
    HealthClient::new(channel)
}

/// A client of a server that ends with the test.
pub(crate) async fn client_of(server: HealthServer) -> HealthClient<Channel> {
    let (address, _) = serve(server, std::future::pending()).await;
    client(address, "test").await
}

pub(crate) fn request(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

/// The status of a service, or the code of the error.
pub(crate) async fn check(
    client: &mut HealthClient<Channel>,
    service: &str,
) -> Result<ServingStatus, Code> {
    let response = client.check(request(service)).await;
    Ok(response.map_err(|error| error.code())?.into_inner().status())
}

/// The names of all services with their statuses.
pub(crate) async fn list(
    client: &mut HealthClient<Channel>,
) -> Result<Vec<(String, ServingStatus)>, Status> {
    let statuses = client.list(HealthListRequest {}).await?.into_inner().statuses;
    Ok(statuses.into_iter().map(|(name, response)| (name, response.status())).collect())
}
