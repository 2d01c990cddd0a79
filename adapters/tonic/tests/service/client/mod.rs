//! A client of the public proto, independent of the code under test.

#[expect(
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    reason = "generated; `generated.rs` compares it with the proto"
)]
#[rustfmt::skip]
mod generated;

pub(crate) use self::generated::health_check_response::ServingStatus;
pub(crate) use self::generated::health_client::HealthClient;
pub(crate) use self::generated::{HealthCheckRequest, HealthCheckResponse, HealthListRequest};
