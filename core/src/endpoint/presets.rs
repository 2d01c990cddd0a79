//! The presets: for each kind of poller the codes it understands, and its own setting.

use super::table::{Table, Written};
use super::{Endpoint, RunChecks};
use crate::state::Body;

const OK: Written = (200, Body::Ok);
const ERROR: Written = (503, Body::Error);

/// 200, `failing` and nothing else.
const fn table(degraded: Written) -> Table<Written> {
    Table {
        ok: OK,
        degraded,
        failing: ERROR,
        starting: None,
        maintenance: None,
        draining: None,
    }
}

/// The same, with `code` for whatever keeps traffic away.
const fn away(degraded: Written, code: u16) -> Table<Written> {
    Table {
        starting: Some((code, Body::Starting)),
        maintenance: Some((code, Body::Maintenance)),
        draining: Some((code, Body::Draining)),
        ..table(degraded)
    }
}

impl Endpoint {
    /// As `healthcheck.url` with default settings: 299 `MAINTENANCE` in maintenance, and also while starting and
    /// draining.
    ///
    /// 299 takes a host out only where the poller accepts exactly 200, as Varnish, ALB and the Google and Azure
    /// balancers do, or has been told: HAProxy by `http-check expect ! status 299 error-status L7OKC`, NGINX Plus by
    /// a `match` block with `status 200`.
    pub fn pyramid(path: impl Into<String>) -> Self {
        let away = Some((299, Body::Maintenance));
        let table = Table {
            starting: away,
            maintenance: away,
            draining: away,
            ..table(OK)
        };
        Self::new(path, table)
    }

    /// 503 for whatever is not healthy: out of service with every poller that asks by itself, and no setting in it. To
    /// have its checks count, let it be polled with `?checks=all`, or [always](RunChecks::Always) run them.
    /// [`retry_after`](Self::retry_after) tells clients when to come back from a maintenance.
    pub fn strict(path: impl Into<String>) -> Self {
        Self::new(path, away(OK, 503))
    }

    /// Whether the process should be restarted: 200 as long as it answers. It never shows starting, maintenance
    /// or draining, and runs no check; [one that is given](Self::only_checks) has to be
    /// [internal](crate::Check::process_only), or [allowed by name](Self::allow_dependency).
    ///
    /// Kubernetes: `livenessProbe.httpGet.path`. systemd: what feeds `WATCHDOG=1`. Checks that are given run for
    /// every request.
    pub fn liveness(path: impl Into<String>) -> Self {
        let mut endpoint = Self::new(path, table(OK))
            .no_checks()
            .run_checks(RunChecks::Always);
        endpoint.is_liveness = true;
        endpoint
    }

    /// Whether to send traffic: all checks for every request, and 503 for whatever is not healthy.
    ///
    /// Kubernetes: `readinessProbe.httpGet.path`, with a `timeoutSeconds` above the deadlines of the checks. Traefik:
    /// `healthCheck.path`. Caddy: `health_uri`.
    pub fn readiness(path: impl Into<String>) -> Self {
        Self::new(path, away(OK, 503)).run_checks(RunChecks::Always)
    }

    /// Whether the start is over: 503 until the start-up latches are released and all checks pass. It does not
    /// show maintenance or draining, because a start that is taken for a failed one is cut off.
    ///
    /// Kubernetes: `startupProbe.httpGet.path`, with a `failureThreshold` times `periodSeconds` above the
    /// longest start.
    pub fn startup(path: impl Into<String>) -> Self {
        let table = Table {
            starting: Some((503, Body::Starting)),
            ..table(OK)
        };
        Self::new(path, table).run_checks(RunChecks::Always)
    }

    /// 404 for what is starting, in maintenance or draining, which HAProxy's `http-check disable-on-404`, also
    /// before 2.2, takes for "no new traffic": sessions that stick go on, and nobody is alerted.
    pub fn haproxy_404(path: impl Into<String>) -> Self {
        Self::new(path, away(OK, 404))
    }

    /// 429, which a Consul HTTP check takes for a warning, for what is degraded; 503, which is critical, for all
    /// that should have no traffic. All checks for every request.
    pub fn consul(path: impl Into<String>) -> Self {
        Self::new(path, away((429, Body::Degraded), 503)).run_checks(RunChecks::Always)
    }

    /// 429, a WARNING of `check_http` and `check_curl`, for all that somebody did on purpose or can wait; 503, which is
    /// CRITICAL, for what fails. All checks for every request.
    pub fn nagios(path: impl Into<String>) -> Self {
        Self::new(path, away((429, Body::Degraded), 429)).run_checks(RunChecks::Always)
    }

    /// 503 for whatever is not healthy, with `x-envoy-immediate-health-check-fail: true` in maintenance and
    /// while draining, so that Envoy takes the host out at once; and `x-envoy-degraded: true` with the 200 of what is
    /// degraded, so that it is used last. All checks for every request.
    ///
    /// Envoy: `http_health_check.path`, and 503 in `retriable_statuses`, or one failed check ejects the host whatever
    /// `unhealthy_threshold` says.
    pub fn envoy(path: impl Into<String>) -> Self {
        let mut endpoint = Self::new(path, away(OK, 503)).run_checks(RunChecks::Always);
        endpoint.is_envoys = true;
        endpoint
    }
}
