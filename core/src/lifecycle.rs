//! The lifecycle of a process: start-up latches, the drain, and the signals that start it.

mod drain;
mod drain_moment;
#[cfg(all(feature = "signal", unix))]
mod signals;
mod startup;

pub(crate) use self::drain::Drain;
pub use self::drain::{DrainSignal, FutureSignal, StreamSignal};
pub use self::drain_moment::DrainMoment;
#[cfg(all(feature = "signal", unix))]
pub use self::signals::{Signal, Signals};
pub use self::startup::StartupLatch;
pub(crate) use self::startup::{Gate, LastRelease, Latched, Start, Unreleased};
