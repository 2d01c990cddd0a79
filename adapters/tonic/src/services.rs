//! Responds to the three methods.

use std::collections::BTreeMap;

use futures::future::join_all;
use health_core::{EndpointHandle, HealthRequest, State};
use tonic::{Request, Response, Status};

use crate::generated::health_server::Health;
use crate::generated::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use crate::status::{response, status};
use crate::watching::{self, StatusStream};

/// How many services *List* returns at most: the proto's limit.
const MAX_LISTED: usize = 100;

/// The size of a request that is always accepted, in bytes.
const MIN_LIMIT: usize = 4 * 1024;

/// The services by name.
pub(crate) struct Services {
    /// At least one.
    endpoints: Vec<EndpointHandle>,
    /// Indices of endpoints.
    names: BTreeMap<String, usize>,
}

impl Services {
    pub(crate) fn new(endpoints: Vec<EndpointHandle>, names: BTreeMap<String, usize>) -> Self {
        Self { endpoints, names }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|(name, index)| (&**name, self.endpoints[*index].path()))
    }

    /// The size of the longest request that can name a service, in bytes. tonic reserves what a client announces.
    pub(crate) fn longest_request(&self) -> usize {
        let longest = self.names.keys().map(String::len).max().unwrap_or_default();
        longest.saturating_add(16).max(MIN_LIMIT)
    }

    fn endpoint(&self, name: &str) -> Option<&EndpointHandle> {
        Some(&self.endpoints[*self.names.get(name)?])
    }
}

/// Polls the endpoint as a request for the checks does.
async fn poll<T: Sync>(endpoint: &EndpointHandle, request: &Request<T>) -> State {
    let mut asked = HealthRequest::new("checks=all");
    if endpoint.reads_headers() {
        asked = asked.client(request.remote_addr().map(|address| address.ip()));
        if let Some(agent) = request.metadata().get("user-agent") {
            asked = asked.header("user-agent", agent.as_bytes());
        }
    }
    endpoint.respond(asked).await.state()
}

#[tonic::async_trait]
impl Health for Services {
    type WatchStream = StatusStream;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let endpoint = self.endpoint(&request.get_ref().service);
        let endpoint = endpoint.ok_or_else(|| Status::not_found("unknown service"))?;
        Ok(Response::new(response(status(poll(endpoint, &request).await))))
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<StatusStream>, Status> {
        Ok(Response::new(match self.endpoint(&request.get_ref().service) {
            Some(endpoint) => watching::of(endpoint.clone()),
            None => watching::of_unknown(self.endpoints[0].health()),
        }))
    }

    async fn list(
        &self,
        request: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        if self.names.len() > MAX_LISTED {
            let count = self.names.len();
            return Err(Status::resource_exhausted(format!(
                "there are {count} services, and List returns at most {MAX_LISTED}"
            )));
        }
        let polls = self.endpoints.iter().map(|endpoint| poll(endpoint, &request));
        let states = join_all(polls).await;
        let statuses = self
            .names
            .iter()
            .map(|(name, index)| (name.clone(), response(status(states[*index]))))
            .collect();
        Ok(Response::new(HealthListResponse { statuses }))
    }
}
