//! The presets: for each kind of poller the status codes it understands, and its own settings.

use http::StatusCode;

use super::Purpose::{AlertsPeople, SteersTraffic};
use super::{Endpoint, Replies, Reply, RunChecks, Selection};
use crate::config::default_maintenance_code;
use crate::state::Body;

pub(super) const OK: Reply = Reply::new(StatusCode::OK, Body::Ok);
const DEGRADED: Reply = Reply::new(StatusCode::TOO_MANY_REQUESTS, Body::Degraded);
const ERROR: Reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE, Body::Error);

/// Ignores starting, maintenance and draining.
pub(super) const fn only_checks(degraded: Reply) -> Replies {
    Replies { ok: OK, degraded, failing: ERROR, starting: None, maintenance: None, draining: None }
}

/// Responds with `status` when starting, in maintenance or draining.
const fn all_states(degraded: Reply, status: StatusCode) -> Replies {
    Replies {
        starting: Some(Reply::new(status, Body::Starting)),
        maintenance: Some(Reply::new(status, Body::Maintenance)),
        draining: Some(Reply::new(status, Body::Draining)),
        ..only_checks(degraded)
    }
}

impl Endpoint {
    /// Like `healthcheck.url` with default settings: 299 `MAINTENANCE` in maintenance, and also when starting and
    /// draining.
    ///
    /// 299 takes a host out of service only if the poller accepts exactly 200, as Varnish, ALB and the Google and
    /// Azure balancers do, or is configured to: HAProxy with `http-check expect ! status 299 error-status L7OKC`,
    /// NGINX Plus with `status 200` in a `match` block.
    pub fn pyramid(path: impl Into<String>) -> Self {
        let maintenance = Some(Reply::new(default_maintenance_code(), Body::Maintenance));
        let replies = Replies {
            starting: maintenance,
            maintenance,
            draining: maintenance,
            ..only_checks(OK)
        };
        Self::new(path, SteersTraffic, replies)
    }

    /// 503 for every state that is not healthy: every poller takes the host out of service without configuration. The
    /// poller asks for the checks with `?checks=all`, or the endpoint runs them [always](RunChecks::Always).
    /// [`retry_after`](Self::retry_after) tells clients when to retry during maintenance.
    pub fn strict(path: impl Into<String>) -> Self {
        Self::new(path, SteersTraffic, all_states(OK, StatusCode::SERVICE_UNAVAILABLE))
    }

    /// Whether the process must be restarted: 200 as long as it responds. It ignores starting, maintenance and
    /// draining, and runs no check. A [chosen](Self::only_checks) check runs for every request, and must be
    /// [`process_only`](crate::Check::process_only) or [allowed by name](Self::allow_dependency).
    ///
    /// Kubernetes: `livenessProbe.httpGet.path`. systemd: `WatchdogSec`, with `Health::notify_systemd`.
    pub fn liveness(path: impl Into<String>) -> Self {
        Self {
            default_selection: Selection::None,
            is_liveness: true,
            ..Self::new(path, SteersTraffic, only_checks(OK)).run_checks(RunChecks::Always)
        }
    }

    /// Whether to send traffic: runs all checks for every request, and responds 503 for every state that is not
    /// healthy.
    ///
    /// Kubernetes: `readinessProbe.httpGet.path`, with `timeoutSeconds` above the timeouts of the checks. Traefik:
    /// `healthCheck.path`. Caddy: `health_uri`.
    pub fn readiness(path: impl Into<String>) -> Self {
        Self::new(path, SteersTraffic, all_states(OK, StatusCode::SERVICE_UNAVAILABLE))
            .run_checks(RunChecks::Always)
    }

    /// Whether the start is over: 503 until the start-up latches are released and all checks pass. It ignores
    /// maintenance and draining, because an orchestrator kills a process whose start it regards as failed.
    ///
    /// Kubernetes: `startupProbe.httpGet.path`, with `failureThreshold` times `periodSeconds` above the longest start.
    pub fn startup(path: impl Into<String>) -> Self {
        let replies = Replies {
            starting: Some(Reply::new(StatusCode::SERVICE_UNAVAILABLE, Body::Starting)),
            ..only_checks(OK)
        };
        Self::new(path, SteersTraffic, replies).run_checks(RunChecks::Always)
    }

    /// 404 when starting, in maintenance or draining. HAProxy's `http-check disable-on-404`, also before version 2.2,
    /// then sends no new traffic: sticky sessions continue, and no alert is sent.
    pub fn haproxy_404(path: impl Into<String>) -> Self {
        Self::new(path, SteersTraffic, all_states(OK, StatusCode::NOT_FOUND))
    }

    /// 429, a warning for a Consul HTTP check, when degraded; 503, which is critical, for every state without traffic.
    /// Runs all checks for every request.
    pub fn consul(path: impl Into<String>) -> Self {
        Self::new(path, SteersTraffic, all_states(DEGRADED, StatusCode::SERVICE_UNAVAILABLE))
            .run_checks(RunChecks::Always)
    }

    /// 429, a WARNING of `check_http` and `check_curl`, for every state that is intended or can wait; 503, which is
    /// CRITICAL, when failing. Runs all checks for every request.
    pub fn nagios(path: impl Into<String>) -> Self {
        Self::new(path, AlertsPeople, all_states(DEGRADED, StatusCode::TOO_MANY_REQUESTS))
            .run_checks(RunChecks::Always)
    }

    /// 503 for every state that is not healthy. `x-envoy-immediate-health-check-fail: true` in maintenance and when
    /// draining makes Envoy eject the host at once; `x-envoy-degraded: true` when degraded makes Envoy prefer other
    /// hosts. Runs all checks for every request.
    ///
    /// Envoy: `http_health_check.path`, and 503 in `retriable_statuses`; otherwise one failed check ejects the host
    /// regardless of `unhealthy_threshold`.
    pub fn envoy(path: impl Into<String>) -> Self {
        Self {
            is_envoy: true,
            ..Self::new(path, SteersTraffic, all_states(OK, StatusCode::SERVICE_UNAVAILABLE))
                .run_checks(RunChecks::Always)
        }
    }
}
