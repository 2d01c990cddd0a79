//! The endpoints under a simulated kubelet, which follows Kubernetes' documentation and source. It probes a real server
//! over real sockets. `docs/kubernetes.md` is its page, and `docs/grpc.md` that of
//! its gRPC probes.
//!
//! Time is virtual: a second passes when a test says so. Only the timeout of a probe is real.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod application;
mod blocked;
mod fake;
mod grpc;
mod grpc_prober;
mod kubelet;
mod lifecycle;
mod page;
mod presets;
mod prober;
mod probes;
mod worker;
