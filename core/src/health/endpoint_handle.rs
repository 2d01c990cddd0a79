//! An endpoint as adapters mount it.

use http::StatusCode;

use super::Health;
use crate::application::{Answer, Served};
use crate::endpoint::{HealthResponse, Reply};
use crate::state::{Body, State};

/// One endpoint, to be mounted at its path. Cheap to clone.
///
/// [`Health::endpoints`] lists them, for an adapter, or for a page that describes them:
///
/// ```
/// use health_core::{Endpoint, Health};
///
/// let health = Health::builder().endpoint(Endpoint::strict("/up")).build()?;
/// for endpoint in health.endpoints() {
///     println!("{}", endpoint.path());
///     for (state, code, word) in endpoint.answers() {
///         println!("  {state}: {code} {word}");
///     }
/// }
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct EndpointHandle {
    health: Health,
    index: usize,
}

impl EndpointHandle {
    pub(crate) fn new(health: Health, index: usize) -> Self {
        Self { health, index }
    }

    fn served(&self) -> &Served {
        &self.health.parts().endpoints[self.index]
    }

    /// Where it is to be mounted: a request has to have exactly this path (H1).
    pub fn path(&self) -> &str {
        self.served().path()
    }

    /// What it says in each state that it does not ignore, the least grave first.
    pub fn answers(&self) -> impl Iterator<Item = (State, StatusCode, Body)> {
        let table = self.served().table();
        State::ALL.into_iter().filter_map(move |state| {
            let Reply { code, word, .. } = table.get(state)?;
            Some((state, code, word))
        })
    }

    /// Answers one request and logs what H4, H8, H19 and H21 ask for.
    ///
    /// `query` is the raw query string without its `?`, empty when there is none. A run of the
    /// checks that this starts goes on without it: to drop the future half-way harms nobody who waits for the
    /// same run (H7). Never panics, unless the program's own log subscriber does.
    pub async fn respond(&self, query: &str) -> HealthResponse {
        self.served().respond(self.health.parts(), query).await
    }

    /// Decides as [`EndpointHandle::respond`] does, and leaves the logging to the caller.
    ///
    /// Await it to its end: a warning about the disablefile or a maintenance source, due once an episode, is lost with
    /// a future that is dropped half-way.
    pub async fn answer(&self, query: &str) -> Answer {
        self.served().answer(self.health.parts(), query).await
    }
}
