//! The pages of this project as doc-tests, so that every example in them compiles.
//!
//! Nothing here is published: `cargo test -p health-docs` is what this crate is for.

#[doc = include_str!("../README.md")]
mod readme {}

#[doc = include_str!("adding-an-adapter.md")]
mod adding_an_adapter {}

#[doc = include_str!("embedding.md")]
mod embedding {}

#[doc = include_str!("checks.md")]
mod checks {}

#[doc = include_str!("indicators.md")]
mod indicators {}

#[doc = include_str!("own-indicators.md")]
mod own_indicators {}

#[cfg(feature = "recipes")]
#[doc = include_str!("recipes.md")]
mod recipes {}

#[doc = include_str!("runs.md")]
mod runs {}

#[doc = include_str!("background-checks.md")]
mod background_checks {}

#[doc = include_str!("results.md")]
mod several_results {}

#[doc = include_str!("process-checks.md")]
mod process_checks {}

#[doc = include_str!("runtimes.md")]
mod runtimes {}

#[doc = include_str!("choosing-checks.md")]
mod choosing_checks {}

#[doc = include_str!("peers.md")]
mod peers {}

#[doc = include_str!("endpoints.md")]
mod endpoints {}

#[doc = include_str!("details.md")]
mod details {}

#[doc = include_str!("endpoint-options.md")]
mod endpoint_options {}

#[doc = include_str!("signals.md")]
mod signals {}

#[doc = include_str!("start-up.md")]
mod start_up {}

#[doc = include_str!("maintenance.md")]
mod maintenance {}

#[doc = include_str!("metrics.md")]
mod metrics {}

#[doc = include_str!("watching.md")]
mod watching {}

#[doc = include_str!("page.md")]
mod page {}

#[doc = include_str!("public-endpoints.md")]
mod public_endpoints {}

#[doc = include_str!("log.md")]
mod log {}

#[doc = include_str!("tracing.md")]
mod tracing {}

#[doc = include_str!("openapi.md")]
mod openapi {}

#[doc = include_str!("drain.md")]
mod drain {}

#[doc = include_str!("last-requests.md")]
mod last_requests {}

#[doc = include_str!("platforms.md")]
mod platforms {}

#[doc = include_str!("workers.md")]
mod workers {}

#[doc = include_str!("probe.md")]
mod probe {}

#[doc = include_str!("systemd.md")]
mod systemd {}

#[doc = include_str!("layering.md")]
mod layering {}

#[doc = include_str!("kubernetes.md")]
mod kubernetes {}

#[doc = include_str!("grpc.md")]
mod grpc {}

#[doc = include_str!("own-listener.md")]
mod own_listener {}

#[doc = include_str!("load-balancers.md")]
mod load_balancers {}

#[doc = include_str!("settings.md")]
mod settings {}
