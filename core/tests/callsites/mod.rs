//! Whether spans and records are enabled, whatever other threads of the process do.

use std::sync::LazyLock;

use tracing::Dispatch;
use tracing_subscriber::Registry;

/// Subscribers that live as long as the process. While there are fewer than two, `tracing` asks about a new callsite only the
/// thread that reaches it first: a thread without a subscriber would disable it for the subscribers of all tests.
static KEPT: LazyLock<[Dispatch; 2]> =
    LazyLock::new(|| [(); 2].map(|()| Registry::default().into()));

/// Keeps every callsite enabled. A test that has a subscriber calls it first.
pub(crate) fn keep() {
    LazyLock::force(&KEPT);
}
