//! The stop of a server after a drain (H26).

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use health_core::{FIRST_REQUEST, with_stop};
use rocket::fairing::AdHoc;
use rocket::tokio::time::sleep;
use rocket::{Build, Error, Rocket};

use crate::listener::Listener;

/// Launches `rocket`, and shuts it down when `drained` completes, so that no client that has just connected loses its
/// request. Use it instead of [`Rocket::launch`]. Returns a future that completes when the server has ended.
///
/// `drained` is the future of [`drain_when`](crate::Health::drain_when). Rocket's own handling of signals is disabled: it
/// would shut the server down at once. [Attach](Rocket::attach) the [`fairing`](fn@crate::fairing). Pass the returned future to
/// [`shut_down_after`](crate::Health::shut_down_after):
///
/// ```no_run
/// use std::time::Duration;
///
/// use health_rocket::{Drain, Health, Signals};
///
/// async fn run(health: Health, signals: Signals) -> Result<(), Box<dyn std::error::Error>> {
///     let rocket = rocket::build().attach(health_rocket::fairing(&health));
///     let drain = Drain::at_least(Duration::from_secs(5)).at_most(Duration::from_secs(25))?;
///     let server = health_rocket::launch(rocket, health.drain_when(signals, drain));
///     health.shut_down_after(server).await.exit()
/// }
/// ```
///
/// When `drained` completes:
///
/// 1. The system refuses new connections ([`refuse_connections`](crate::refuse_connections)).
/// 2. For another second, Rocket accepts the connections that the system has queued, and serves requests. Each response
///    closes its connection.
/// 3. Rocket shuts down, as after [`Shutdown::notify`](rocket::Shutdown::notify).
///
/// If the system cannot refuse connections, for example because it is not Linux, Rocket shuts down at once. Then it closes
/// the connections that have had no request yet, and the system resets those that it has queued.
///
/// # Errors
///
/// Those of [`Rocket::launch`].
pub async fn launch(rocket: Rocket<Build>, drained: impl Future<Output = ()>) -> Result<(), Error> {
    let listener = Arc::new(OnceLock::new());
    let found = listener.clone();
    // The port is known when Rocket listens.
    let find = AdHoc::on_liftoff("listener of the health endpoints", move |rocket| {
        let config = rocket.config();
        let _ = found.set(Listener::find(SocketAddr::new(config.address, config.port)));
        Box::pin(async {})
    });
    let config = rocket.figment().clone();
    let config = config.merge(("shutdown.ctrlc", false)).merge(("shutdown.signals", [""; 0]));
    let rocket = rocket.configure(config).attach(find).ignite().await?;
    let shutdown = rocket.shutdown();
    let stop = async move {
        drained.await;
        if listener.get().copied().flatten().is_some_and(Listener::refuse) {
            sleep(FIRST_REQUEST).await;
        }
        shutdown.notify();
    };
    with_stop(rocket.launch(), stop).await.map(drop)
}
