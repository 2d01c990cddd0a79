//! The reasons that indicators report: words for filters and alerts, which never contain a secret.

/// A number is above its limit.
pub const ABOVE_LIMIT: &str = "above_limit";
/// A number is below its limit.
pub const BELOW_LIMIT: &str = "below_limit";
/// The server accepts connections, but nothing that is sent.
pub const BLOCKED: &str = "blocked";
/// The connection, pool or client was closed.
pub const CLOSED: &str = "closed";
/// Something failed that has no other reason.
pub const FAILED: &str = "failed";
/// There is no space left.
pub const FULL: &str = "full";
/// The certificate is expired, or about to.
pub const EXPIRED: &str = "expired";
/// A partition has no leader.
pub const LEADERLESS: &str = "leaderless";
/// The options of the indicator contradict each other or the system.
pub const MISCONFIGURED: &str = "misconfigured";
/// A file, bucket, table or service is not there.
pub const MISSING: &str = "missing";
/// The host name cannot be resolved.
pub const NAME: &str = "name";
/// The server does not speak the expected protocol.
pub const PROTOCOL: &str = "protocol";
/// The server or file system accepts no writes.
pub const READ_ONLY: &str = "read_only";
/// The server refuses connections.
pub const REFUSED: &str = "refused";
/// The connection broke.
pub const RESET: &str = "reset";
/// All connections of a pool, or all of a server, are in use.
pub const SATURATED: &str = "saturated";
/// The server is starting or loading its data.
pub const STARTING: &str = "starting";
/// The server responded with a status that is not accepted.
pub const STATUS: &str = "status";
/// The server is about to stop.
pub const STOPPING: &str = "stopping";
/// No connection was returned to the pool for a long time.
pub const STUCK: &str = "stuck";
/// There was no response within the timeout.
pub const TIMED_OUT: &str = "timed_out";
/// The certificate or the handshake of TLS failed.
pub const TLS: &str = "tls";
/// Credentials were rejected, or are missing.
pub const UNAUTHORIZED: &str = "unauthorized";
/// There is no route to the server.
pub const UNREACHABLE: &str = "unreachable";
/// The kernel or the system does not tell it.
pub const UNSUPPORTED: &str = "unsupported";
/// No daemon has corrected the clock for some time.
pub const UNSYNCHRONIZED: &str = "unsynchronized";
