//! How the peers of this host see the dependencies that they share.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{Check, Work};
use crate::runtime::process::PerProcess;
use crate::runtime::sync::{Mutex, lock};

/// The period of the check.
const PERIOD: Duration = Duration::from_secs(5);

/// The place where the hosts of a fleet tell each other how they see their [shared](Check::shared) dependencies, for
/// example a Redis with one key per host. [`Check::peers`] registers it.
///
/// ```
/// use std::error::Error;
/// use std::time::Duration;
///
/// use health_core::{Check, Endpoint, Health, OwnView, PeerView, Peers, async_trait};
/// # #[derive(Clone)]
/// # struct Pool;
/// # impl Pool { async fn ping(&self) -> Result<(), std::io::Error> { Ok(()) } }
/// # struct Store;
/// # impl Store {
/// #     async fn put(&self, _key: &str, _checks: String, _expiry: Duration) -> Result<(), std::io::Error> { Ok(()) }
/// #     async fn others(&self) -> Result<Vec<String>, std::io::Error> { Ok(Vec::new()) }
/// # }
/// # let (pool, store) = (Pool, Store);
///
/// struct Meeting(Store);
///
/// #[async_trait]
/// impl Peers for Meeting {
///     async fn exchange(
///         &self,
///         own: &[OwnView],
///     ) -> Result<Vec<PeerView>, Box<dyn Error + Send + Sync>> {
///         let Some(database) = own.iter().find(|view| &*view.check == "database") else {
///             return Ok(Vec::new());
///         };
///         // The entry expires, so that a host that has stopped has no opinion.
///         let expiry = Duration::from_secs(15);
///         self.0.put("host-17", database.is_reached.to_string(), expiry).await?;
///         let others = self.0.others().await?;
///         let reaching = others.iter().filter(|is_reached| *is_reached == "true").count();
///         Ok(vec![PeerView::new("database", reaching as u32, others.len() as u32)])
///     }
/// }
///
/// let health = Health::builder()
///     .register(
///         Check::with("database", pool, |pool| async move { pool.ping().await })
///             .shared()
///             .every(Duration::from_secs(5)),
///     )
///     .register(Check::peers("peers", Meeting(store)))
///     .endpoint(Endpoint::readiness("/ready"))
///     .build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[async_trait]
pub trait Peers: Send + Sync + 'static {
    /// Publishes how this host sees its shared checks, and returns how the other hosts see them.
    ///
    /// `own` omits checks about which this host has no opinion: those that have not run yet, and those whose last result
    /// is stale. The returned views count the other hosts only, and omit hosts without an opinion. A check without a
    /// returned view counts as if there were no peers. Each view must be recent: let what a host publishes expire after
    /// about three periods.
    ///
    /// # Errors
    ///
    /// Any error, which makes the [check](Check::peers) fail with its text. Then no view counts until the next exchange
    /// succeeds ([H24](crate::contract#h24)).
    async fn exchange(
        &self,
        own: &[OwnView],
    ) -> Result<Vec<PeerView>, Box<dyn Error + Send + Sync>>;
}

#[async_trait]
impl<P: Peers + ?Sized> Peers for Box<P> {
    async fn exchange(
        &self,
        own: &[OwnView],
    ) -> Result<Vec<PeerView>, Box<dyn Error + Send + Sync>> {
        (**self).exchange(own).await
    }
}

/// For peers that the application shares.
#[async_trait]
impl<P: Peers + ?Sized> Peers for Arc<P> {
    async fn exchange(
        &self,
        own: &[OwnView],
    ) -> Result<Vec<PeerView>, Box<dyn Error + Send + Sync>> {
        (**self).exchange(own).await
    }
}

/// How this host sees a shared dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnView {
    /// The name of the shared check.
    pub check: Arc<str>,
    /// Whether the check counts as OK ([H15](crate::contract#h15)).
    pub is_reached: bool,
}

impl OwnView {
    /// For tests of an implementation of [`Peers`].
    pub fn new(check: impl Into<Arc<str>>, is_reached: bool) -> Self {
        Self { check: check.into(), is_reached }
    }
}

/// How the other hosts see a shared dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerView {
    /// The name of the shared check.
    pub check: String,
    /// How many other hosts reach the dependency.
    pub reaching: u32,
    /// How many other hosts have an opinion. Zero is no view.
    pub of: u32,
}

impl PeerView {
    /// `reaching` of `of` other hosts reach the dependency of the shared check `check`.
    pub fn new(check: impl Into<String>, reaching: u32, of: u32) -> Self {
        Self { check: check.into(), reaching, of }
    }
}

impl Check {
    /// A background check that exchanges views with the other hosts, so that a sick host can leave although its
    /// dependency is [shared](Self::shared): a failure of a shared check takes this host out of service if more than half
    /// of the peers reach the dependency ([H24](crate::contract#h24)). Until they have done so for the time that a peer
    /// takes to find a failure and to publish it, and without a view of the peers, the failure counts as before.
    ///
    /// The check is OK if it has exchanged views. It fails, and no view counts, if the exchange returns an error, panics,
    /// or exceeds its [timeout](Self::timeout). It also fails if a view names a check that is not shared or does not
    /// exist, or is impossible, such as 3 of 2; other views of the same exchange count. The check is
    /// [optional](Self::optional), because the loss of the place where the hosts meet must not take all of them out:
    /// [`required_check`](crate::Endpoint::required_check) is an error on an endpoint that steers traffic.
    ///
    /// A view counts until the next exchange ends, at most for three [periods](Self::every), and not after a standstill of
    /// the process. Default: an exchange every 5 seconds. More than one check of this kind, and one without any shared
    /// check, are errors when the endpoints are built.
    pub fn peers(name: impl Into<String>, peers: impl Peers) -> Self {
        let exchange = PeerExchange { peers: Arc::new(peers), found: PerProcess::new() };
        Self::described(name.into(), Work::Peers(exchange)).optional().every(PERIOD)
    }

    pub(crate) fn is_of_peers(&self) -> bool {
        matches!(self.work, Work::Peers(_))
    }
}

/// Views by the name of their check.
pub(crate) type PeerViews = BTreeMap<String, PeerView>;

/// The work of [`Check::peers`].
pub(crate) struct PeerExchange {
    pub(crate) peers: Arc<dyn Peers>,
    /// What the execution under way has found. It counts with the result of that execution, if that is not too late.
    found: PerProcess<Mutex<Option<Found>>>,
}

/// What an exchange has found.
pub(crate) struct Found {
    /// When the exchange began.
    pub(crate) asked_at: Instant,
    /// How long the views count.
    pub(crate) lifetime: Duration,
    /// The time after which this host knows what a peer has found out.
    pub(crate) delay: Duration,
    pub(crate) views: PeerViews,
}

impl PeerExchange {
    /// Replaces what was found; `None` if nothing was.
    pub(crate) fn replace_found(&self, found: Option<Found>) -> Option<Found> {
        std::mem::replace(&mut *lock(self.found.get_or_make(Mutex::default)), found)
    }
}
