//! Why a service cannot be built.

/// Why [`service`](crate::service) or [`HealthServerBuilder::build`](crate::HealthServerBuilder::build) failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The path of a service is that of no endpoint.
    #[error("the service {service:?} needs an endpoint at {path:?}: there are {}", paths.join(", "))]
    UnknownEndpoint {
        /// The name of the service.
        service: String,
        /// The path that no endpoint has.
        path: String,
        /// Those of the endpoints.
        paths: Vec<String>,
    },
    /// Two services have the same name. The path of each endpoint is a name, too.
    #[error("two services have the name {service:?}")]
    DuplicateService {
        /// The name.
        service: String,
    },
    /// No endpoint fits the service `""`.
    #[error(
        "no endpoint fits the service \"\", which must show starting, maintenance and draining, run checks, and steer traffic: add Endpoint::readiness, or choose one of {} with .service(\"\", path)",
        paths.join(", ")
    )]
    NoReadiness {
        /// Those of the endpoints.
        paths: Vec<String>,
    },
    /// Several endpoints fit the service `""`.
    #[error("several endpoints fit the service \"\": choose one of {} with .service(\"\", path)", paths.join(", "))]
    SeveralReadiness {
        /// Those of the endpoints that fit.
        paths: Vec<String>,
    },
}
