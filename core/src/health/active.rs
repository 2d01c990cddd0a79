//! The active requests of the application (H26).

use std::fmt;

use super::Health;

/// A request that is active until this is dropped. [`Health::track`] returns it.
///
/// An adapter holds it until the last byte of the response is handed to the server. A handler of a web socket holds one
/// as long as the socket lives, because no server does so.
#[must_use = "the request counts as active until this is dropped"]
pub struct ActiveRequest {
    health: Health,
}

impl Health {
    /// Counts a request as active until the returned value is dropped. A [drain](crate::Drain) that may end early waits
    /// for active requests. The adapters call it for each request of the application. Takes no lock and does not
    /// allocate.
    #[inline]
    pub fn track(&self) -> ActiveRequest {
        self.application().drain.add_active();
        ActiveRequest { health: self.clone() }
    }

    /// The guard of a request whose guard was [detached](ActiveRequest::detach). Call it exactly once for each.
    pub fn reattach(&self) -> ActiveRequest {
        ActiveRequest { health: self.clone() }
    }

    /// How many requests are active: their handlers run, or their responses are streams that have not
    /// ended. Those of the endpoints count as well. Zero unless an adapter covers the application
    /// ([H26](crate::contract#h26)) or it calls [`track`](Self::track).
    pub fn active_requests(&self) -> usize {
        self.application().drain.active()
    }
}

impl ActiveRequest {
    /// Whether the response needs the header `Connection: close`: a drain has begun, and the response is not a switch
    /// to another protocol ([H26](crate::contract#h26)). Call it when the response is ready, and only for HTTP/1:
    /// HTTP/2 does not allow the header.
    #[inline]
    pub fn closes_connection(&self, status: u16) -> bool {
        self.health.is_draining() && !matches!(status, SWITCHING_PROTOCOLS | UPGRADE_REQUIRED)
    }

    /// Keeps the request active without a guard, until [`Health::reattach`] returns one. For a framework that keeps
    /// nothing from the beginning of a request to its end without an allocation.
    pub fn detach(self) {
        self.health.application().drain.add_active();
    }

    /// The application.
    #[inline]
    pub fn health(&self) -> &Health {
        &self.health
    }
}

/// Their header `Connection` is `upgrade` (RFC 9110, sections 15.2.2 and 15.5.22).
const SWITCHING_PROTOCOLS: u16 = 101;
const UPGRADE_REQUIRED: u16 = 426;

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.health.application().drain.remove_active();
    }
}

/// Another active request, such as the web socket that a request becomes.
impl Clone for ActiveRequest {
    fn clone(&self) -> Self {
        self.health.track()
    }
}

impl fmt::Debug for ActiveRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveRequest").finish_non_exhaustive()
    }
}
