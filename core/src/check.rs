//! The two shapes in which an application writes its checks, and the trait behind both.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;

use crate::event::{HealthCheckEvent, Status};
use crate::text::cut;

/// Somebody who answers the question "is this application healthy?".
///
/// [`HealthBuilder::check`](crate::HealthBuilder::check) and
/// [`HealthBuilder::subscribe`](crate::HealthBuilder::subscribe) write one from a closure; implement it
/// for a subscriber that is asynchronous and reports more than one result.
///
/// A panic, wherever it happens, becomes an ERROR report; what was reported before it stands (H12).
///
/// ```
/// use health_core::{Health, HealthCheckEvent, HealthSubscriber, async_trait};
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
/// let health = Health::builder().subscriber(Replicas(vec!["a", "b"])).build()?;
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

/// A subscriber and the name under which its panic is reported.
pub(crate) struct Registered {
    pub(crate) name: String,
    pub(crate) subscriber: Box<dyn HealthSubscriber>,
}

impl Registered {
    /// A check: one result, under its own name.
    pub(crate) fn check<F, Fut, E>(name: String, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display + 'static,
    {
        Self {
            name: name.clone(),
            subscriber: Box::new(Check { name, check }),
        }
    }

    /// A subscriber without a name of its own is known by its type.
    pub(crate) fn subscriber<S: HealthSubscriber>(subscriber: S) -> Self {
        Self {
            name: std::any::type_name::<S>().to_owned(),
            subscriber: Box::new(subscriber),
        }
    }

    pub(crate) fn closure<F>(subscriber: F) -> Self
    where
        F: Fn(&mut HealthCheckEvent) + Send + Sync + 'static,
    {
        Self {
            name: std::any::type_name::<F>().to_owned(),
            subscriber: Box::new(Closure(subscriber)),
        }
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

struct Check<F> {
    name: String,
    check: F,
}

#[async_trait]
impl<F, Fut, E> HealthSubscriber for Check<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: fmt::Display + 'static,
{
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        // The error is gone before anything is reported: should its `Drop` panic, there is one result.
        let failure = (self.check)().await.err().map(cut);
        match failure {
            None => event.report(&self.name, Status::Ok, None),
            Some(message) => event.report(&self.name, Status::Error, Some(&message)),
        }
    }
}

struct Closure<F>(F);

#[async_trait]
impl<F> HealthSubscriber for Closure<F>
where
    F: Fn(&mut HealthCheckEvent) + Send + Sync + 'static,
{
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        (self.0)(event);
    }
}
