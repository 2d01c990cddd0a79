//! One run of all checks and subscribers: side by side, each on its own account (H7, H12).

use futures::future::join_all;

use crate::check::Registered;
use crate::decision::RunPermit;
use crate::event::{HealthCheckEvent, Report};
use crate::guard::Guarded;

/// Asks every subscriber at once and returns all reports in registration order.
pub(crate) async fn run(_permit: RunPermit, subscribers: &[Registered]) -> Vec<Report> {
    let runs = join_all(subscribers.iter().map(ask)).await;
    runs.into_iter().flatten().collect()
}

/// What one subscriber reports, a panic included.
async fn ask(registered: &Registered) -> Vec<Report> {
    let mut event = HealthCheckEvent::default();
    let asked = Guarded::new(|| registered.subscriber.on_health_check(&mut event)).await;
    if let Err(panicked) = asked {
        event.fail(&registered.name, &panicked);
    }
    event.into_reports()
}
