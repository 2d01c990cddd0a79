//! Ready-made checks for [`health_core`]: what most services depend on, tested without harm.
//!
//! An indicator never waits in the queue of the application's pool, keeps one connection instead of opening one for each
//! execution, ends within its timeout, and shows no password. Each returns a [`Check`](health_core::Check), which has the
//! options of any other.
//!
//! ```
//! use std::time::Duration;
//!
//! use health_core::Health;
//! use health_indicators::{Indicator as _, file_age, kept};
//! # use std::io;
//! # struct Ldap;
//! # impl Ldap {
//! #     async fn connect(_: &str) -> io::Result<Self> { Ok(Self) }
//! #     async fn ping(&mut self) -> io::Result<()> { Ok(()) }
//! # }
//!
//! let health = Health::builder()
//!     .register(
//!         kept(|| Ldap::connect("ldap.example"), |ldap| Box::pin(ldap.ping()))
//!             .check("directory")
//!             .every(Duration::from_secs(10)),
//!     )
//!     .register(file_age("/var/lib/shop/prices.json").failing_above(Duration::from_secs(3600)).check("prices"))
//!     .build()?;
//! # Ok::<(), health_core::BuildError>(())
//! ```
//!
//! Without features this crate needs no driver, and only what `health-core` needs.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "tcp")]
mod address;
#[cfg(feature = "async-nats-0_51")]
#[cfg_attr(docsrs, doc(cfg(feature = "async-nats-0_51")))]
pub mod async_nats_0_51;
#[cfg(feature = "certificate")]
mod certificate;
mod cgroup;
#[cfg(feature = "clock")]
mod clock;
#[cfg(feature = "deadpool-postgres-0_14")]
#[cfg_attr(docsrs, doc(cfg(feature = "deadpool-postgres-0_14")))]
pub mod deadpool_postgres_0_14;
#[cfg(feature = "disk")]
mod disk;
mod dns;
mod failure;
mod file_age;
mod gauge;
mod group;
mod host;
#[cfg(feature = "http")]
mod http;
mod indicator;
mod kept;
mod kernel;
#[cfg(feature = "lapin-4")]
#[cfg_attr(docsrs, doc(cfg(feature = "lapin-4")))]
pub mod lapin_4;
mod limits;
mod memory;
#[cfg(test)]
#[cfg(any(
    feature = "async-nats-0_51",
    feature = "lapin-4",
    feature = "redis-1",
    feature = "tcp",
    feature = "tokio-postgres-0_7"
))]
mod misbehaving;
#[cfg(feature = "object_store-0_14")]
#[cfg_attr(docsrs, doc(cfg(feature = "object_store-0_14")))]
pub mod object_store_0_14;
mod ping;
mod pooled;
mod process;
#[cfg(feature = "rdkafka-0_39")]
#[cfg_attr(docsrs, doc(cfg(feature = "rdkafka-0_39")))]
pub mod rdkafka_0_39;
pub mod reason;
#[cfg(feature = "redis-1")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis-1")))]
pub mod redis_1;
#[cfg(any(feature = "sqlx-0_9", feature = "tokio-postgres-0_7"))]
mod sqlstate;
#[cfg(feature = "sqlx-0_9")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlx-0_9")))]
pub mod sqlx_0_9;
#[cfg(feature = "tcp")]
mod steps;
#[cfg(feature = "tcp")]
mod tcp;
mod time;
#[cfg(feature = "tokio-postgres-0_7")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio-postgres-0_7")))]
pub mod tokio_postgres_0_7;
#[cfg(feature = "tonic-0_14")]
#[cfg_attr(docsrs, doc(cfg(feature = "tonic-0_14")))]
pub mod tonic_0_14;
#[cfg(any(feature = "http", feature = "tonic-0_14"))]
mod url;
mod usage;

#[cfg(feature = "certificate")]
#[cfg_attr(docsrs, doc(cfg(feature = "certificate")))]
pub use self::certificate::{
    CertificateFile, ListenerCertificate, certificate_file, certificate_of,
};
#[cfg(feature = "clock")]
#[cfg_attr(docsrs, doc(cfg(feature = "clock")))]
pub use self::clock::{ClockOffset, clock_offset};
#[cfg(feature = "disk")]
#[cfg_attr(docsrs, doc(cfg(feature = "disk")))]
pub use self::disk::{Disk, disk};
pub use self::dns::{Dns, dns};
pub use self::file_age::{FileAge, file_age};
pub use self::gauge::{Gauge, gauge};
pub use self::group::{Group, all_of, any_of, at_least};
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use self::http::{Http, http};
pub use self::indicator::{Class, Indicator};
pub use self::kept::{Kept, kept};
pub use self::memory::{memory, memory_pressure};
pub use self::ping::{Ping, ping};
pub use self::pooled::{PoolCounters, PoolFull, Pooled, ReturnCounter, pooled};
pub use self::process::{open_files, threads};
#[cfg(feature = "tcp")]
#[cfg_attr(docsrs, doc(cfg(feature = "tcp")))]
pub use self::tcp::{Tcp, tcp};
pub use self::usage::Usage;
