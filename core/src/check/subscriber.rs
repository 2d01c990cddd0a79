//! The original's event: code that is asked, and reports any number of results.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;

use crate::check::HealthCheckEvent;

/// Somebody who answers the question "is this application healthy?".
///
/// [`Check::new`](crate::Check::new) and [`Check::event`](crate::Check::event) write
/// one from a closure; implement it for a subscriber that is asynchronous and reports more than one result.
///
/// A panic, wherever it happens, and a deadline that is over become an ERROR report; what was reported
/// before stands (H12), unless it blocked its thread beyond the deadline: then nobody can ask it any more.
///
/// ```
/// use health_core::{Check, Health, HealthCheckEvent, HealthSubscriber, async_trait};
///
/// struct Replicas(Vec<&'static str>);
/// # async fn lag(_replica: &str) -> u32 { 0 }
///
/// #[async_trait]
/// impl HealthSubscriber for Replicas {
///     async fn on_health_check(&self, event: &mut HealthCheckEvent) {
///         for replica in &self.0 {
///             let status = if lag(replica).await < 10 { "OK" } else { "ERROR" };
///             event.report(replica, status, None);
///         }
///     }
/// }
///
/// let health = Health::builder()
///     .register(Check::subscriber("replicas", Replicas(vec!["a", "b"])))
///     .build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[async_trait]
pub trait HealthSubscriber: Send + Sync + 'static {
    /// Reports any number of results to `event`, or none.
    async fn on_health_check(&self, event: &mut HealthCheckEvent);
}

#[async_trait]
impl<S: HealthSubscriber + ?Sized> HealthSubscriber for Box<S> {
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        (**self).on_health_check(event).await;
    }
}

/// For a subscriber that the application keeps a hand on.
#[async_trait]
impl<S: HealthSubscriber + ?Sized> HealthSubscriber for Arc<S> {
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        (**self).on_health_check(event).await;
    }
}

/// A check with one result, under its own name.
pub(crate) struct Named<F> {
    pub(crate) name: String,
    pub(crate) check: F,
}

#[async_trait]
impl<F, Fut, E> HealthSubscriber for Named<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: fmt::Display + 'static,
{
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        let result = (self.check)().await;
        event.conclude(&self.name, result);
    }
}

/// A closure that is handed the event.
pub(crate) struct Closure<F>(pub(crate) F);

#[async_trait]
impl<F> HealthSubscriber for Closure<F>
where
    F: Fn(&mut HealthCheckEvent) + Send + Sync + 'static,
{
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        (self.0)(event);
    }
}
