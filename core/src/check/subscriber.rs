//! Subscribers of the health check event.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;

use crate::check::{HealthCheckEvent, IntoCheckResult};

/// A subscriber of the health check event: it reports any number of results.
///
/// [`Check::new`](crate::Check::new) and [`Check::event`](crate::Check::event) make one from a closure. Implement the
/// trait for a subscriber that is asynchronous and reports several results.
///
/// A panic and a timeout are reported as an error under the name of the check; results reported before them count
/// ([H12](crate::contract#h12)). A subscriber that blocks its thread beyond the timeout loses its results.
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
///             match lag(replica).await {
///                 0..10 => event.ok(replica),
///                 lag => event.error(replica, format!("{lag} s behind")),
///             }
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

/// For a subscriber that the application shares.
#[async_trait]
impl<S: HealthSubscriber + ?Sized> HealthSubscriber for Arc<S> {
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        (**self).on_health_check(event).await;
    }
}

/// A closure with one result, reported under the name of the check.
pub(crate) struct Named<F> {
    pub(crate) name: String,
    pub(crate) check: F,
}

#[async_trait]
impl<F, Fut> HealthSubscriber for Named<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoCheckResult> + Send + 'static,
{
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        let result = (self.check)().await;
        event.result(&self.name, result);
    }
}

/// A closure that reports to the event.
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
