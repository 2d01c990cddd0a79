//! The lifecycle of a process: start-up latches, the drain, and the signals that start it.

#[cfg(all(feature = "signal", feature = "tokio", windows))]
mod console;
mod drain;
mod drain_moment;
mod drain_state;
mod pollers;
#[cfg(all(feature = "socket", unix))]
mod refusal;
#[cfg(all(feature = "signal", unix))]
mod signals;
mod startup;
mod stop;

#[cfg(all(feature = "signal", feature = "tokio", windows))]
pub use self::console::Signals;
pub(crate) use self::drain::LAST_CALL;
pub use self::drain::{Drain, DrainError, DrainSignal, FutureSignal, StreamSignal};
pub use self::drain_moment::DrainMoment;
pub(crate) use self::drain_state::DrainState;
#[cfg(all(feature = "socket", unix))]
pub use self::refusal::refuse_connections;
#[cfg(all(feature = "signal", unix))]
pub use self::signals::{Signal, Signals};
pub use self::startup::StartupLatch;
pub(crate) use self::startup::{Gate, LastRelease, Latched, Start, Unreleased};
pub use self::stop::{FIRST_REQUEST, with_stop};
