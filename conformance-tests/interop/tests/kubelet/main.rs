//! The endpoints under a kubelet: a simulator of its probes, written from what Kubernetes documents and its source
//! says, with a real server on real sockets below it. `docs/kubernetes.md` is its page.
//!
//! Time is virtual: a second passes when a test says so. Only the time-out of a probe is a real one.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod application;
mod fake;
mod kubelet;
mod lifecycle;
mod page;
mod presets;
mod prober;
mod probes;
mod worker;
