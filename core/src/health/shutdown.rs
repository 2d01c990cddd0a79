//! What a process does after its server has stopped (H27).

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, select};

use super::Health;
use super::drain::LOOK_PERIOD;
use crate::check::{CheckResult, IntoCheckResult};
use crate::lifecycle::LAST_CALL;
use crate::log::LogRecord;
use crate::runtime::context::Context;
use crate::runtime::guard::Guarded;
use crate::runtime::promise::Promise;
use crate::runtime::sync::{Mutex, lock};
use crate::runtime::{after, until};
use crate::text::cut;

/// How a server and the shutdown phases have ended. [`Health::shut_down_after`] returns it.
#[derive(Debug)]
#[must_use = "the process should exit with its code"]
pub struct Ended<T> {
    server: Option<T>,
    has_failed: bool,
    dropped: usize,
    failed: Vec<String>,
}

/// What a server returns: nothing, or a [`Result`] whose error is logged and makes the end
/// [unclean](Ended::is_clean).
pub trait ServerOutput {
    /// The error of the server, if it has failed.
    fn error(&self) -> Option<String>;
}

impl ServerOutput for () {
    fn error(&self) -> Option<String> {
        None
    }
}

/// The output of a task, such as that of `tokio::spawn`, can be a result in a result.
impl<T: ServerOutput, E: fmt::Display> ServerOutput for Result<T, E> {
    fn error(&self) -> Option<String> {
        match self {
            Ok(output) => output.error(),
            Err(error) => Some(cut(error)),
        }
    }
}

impl<T> Ended<T> {
    /// The output of the server; `None` if it still ran half a second after the deadline of the drain, and was dropped.
    pub fn into_server(self) -> Option<T> {
        self.server
    }

    /// How many requests were still active when the server was dropped, or had ended and the deadline of the drain
    /// passed.
    pub fn dropped_requests(&self) -> usize {
        self.dropped
    }

    /// The names of the shutdown phases that failed, panicked or exceeded their limits, in order.
    pub fn failed_phases(&self) -> impl Iterator<Item = &str> {
        self.failed.iter().map(String::as_str)
    }

    /// Whether the server ended by itself and without an error, no request was dropped, and each shutdown phase
    /// succeeded.
    pub fn is_clean(&self) -> bool {
        self.server.is_some() && !self.has_failed && self.dropped == 0 && self.failed.is_empty()
    }

    /// 0 if the end [was clean](Self::is_clean), and 1 otherwise, for a `main` that returns it. A runtime of tokio that
    /// is dropped then waits for blocking threads; [`exit`](Self::exit) does not.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    /// Ends the process with 0 if the end [was clean](Self::is_clean), and with 1 otherwise. It waits for nothing,
    /// neither for connections that are still open nor for blocking threads, and calls no destructors: flush a log that
    /// is buffered in the last shutdown phase.
    pub fn exit(&self) -> ! {
        std::process::exit(self.code().into())
    }

    fn code(&self) -> u8 {
        u8::from(!self.is_clean())
    }
}

impl Health {
    /// Waits for `server`, a future such as `axum::serve(…)`, then runs the [shutdown
    /// phases](crate::HealthBuilder::shutdown_phase). Returns how it went.
    ///
    /// In a [drain](Self::drain_when) with a maximum, `server` ends in time: half a second after
    /// [`drain_deadline`](Self::drain_deadline) it is dropped, and its requests with it as soon as the process
    /// [exits](Ended::exit). If the server ends before its [active requests](Self::active_requests), such as web
    /// sockets, it waits for them until then, too.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use futures::{Future, future::pending};
    /// # use health_core::{Drain, Health};
    /// # fn serve(drained: impl Future<Output = ()>) -> impl Future<Output = std::io::Result<()>> { async { Ok(()) } }
    /// # async fn flush() -> std::io::Result<()> { Ok(()) }
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let signals = pending::<()>();
    /// let seconds = Duration::from_secs;
    /// let health = Health::builder().shutdown_phase("queue", seconds(3), flush).build()?;
    /// let drain = Drain::at_least(seconds(5)).at_most(seconds(25))?;
    /// let server = serve(health.drain_when(signals, drain)); // the server of a framework
    /// health.shut_down_after(server).await.exit()
    /// # }
    /// ```
    ///
    /// Call it once: the phases run only for the first of several calls, and the others do not wait for them. Dropping
    /// the future before it is ready drops the server, and runs no further phase.
    pub async fn shut_down_after<S>(&self, server: S) -> Ended<S::Output>
    where
        S: IntoFuture<Output: ServerOutput>,
    {
        let (server, dropped) = {
            let server = pin!(server.into_future());
            match select(server, pin!(self.last_call())).await {
                Either::Left((output, rest)) => (Some(output), self.wait_for_active(rest).await),
                Either::Right((dropped, _)) => (None, dropped),
            }
            // The server is dropped here, before the phases.
        };
        if server.is_none() || dropped > 0 {
            LogRecord::requests_are_dropped(dropped).emit();
        }
        let error = server.as_ref().and_then(ServerOutput::error);
        if let Some(error) = &error {
            LogRecord::server_fails(error).emit();
        }
        let failed = self.run_phases().await;
        Ended { server, has_failed: error.is_some(), dropped, failed }
    }

    /// Completes half a second after the deadline, with the number of active requests.
    async fn last_call(&self) -> usize {
        self.drain_deadline().await;
        let application = self.application();
        let runtime = &**application.engine.runtime();
        LogRecord::deadline_passes(LAST_CALL, application.drain.active()).emit();
        if let Some(end) = after(runtime.now(), LAST_CALL) {
            runtime.sleep_until(end).await;
        }
        application.drain.active()
    }

    /// Waits for the active requests of a drain that has a maximum. Returns how many are left.
    async fn wait_for_active(&self, mut last_call: Pin<&mut impl Future<Output = usize>>) -> usize {
        let application = self.application();
        let runtime = &**application.engine.runtime();
        while application.drain.has_deadline() && application.drain.active() > 0 {
            let next = after(runtime.now(), LOOK_PERIOD);
            if let Some(active) = until(runtime, next, &mut last_call).await {
                return active;
            }
        }
        0
    }

    async fn run_phases(&self) -> Vec<String> {
        let mut failed = Vec::new();
        for phase in self.application().phases.take() {
            let name = phase.name.clone();
            if !self.run_phase(phase).await {
                failed.push(name);
            }
        }
        failed
    }

    /// Returns whether the phase succeeded. It runs in a task, so that one that blocks its thread ends at its limit,
    /// too.
    async fn run_phase(&self, phase: Phase) -> bool {
        let engine = &self.application().engine;
        let runtime = engine.runtime().clone();
        let began = runtime.now();
        let deadline = after(began, phase.limit);
        let ended = Arc::new(Promise::default());
        let tells = ended.clone();
        let (limits, run) = (runtime.clone(), phase.run);
        let task = async move {
            let result = until(&*limits, deadline, Guarded::new(run)).await;
            // `None` after the limit: the promise stays open, as it does if the thread is blocked.
            if let Some(result) = result {
                let result = result.map_err(|panicked| panicked.to_string());
                tells.set(result.and_then(CheckResult::into_outcome));
            }
        };
        engine.spawn(Context::current().wrap(Box::pin(task)));
        let error = match until(&*runtime, deadline, ended.wait()).await {
            None => Some(format!("it has not ended within {:?}", phase.limit)),
            Some(result) => result.err(),
        };
        match &error {
            None => {
                let took = runtime.now().saturating_duration_since(began);
                LogRecord::phase_ends(&phase.name, took).emit();
            }
            Some(error) => LogRecord::phase_fails(&phase.name, error).emit(),
        }
        error.is_none()
    }
}

/// What the application does at its end, in order.
#[derive(Debug, Default)]
pub(crate) struct Phases {
    phases: Mutex<Vec<Phase>>,
    time: Duration,
}

/// One of them.
pub(super) struct Phase {
    pub(super) name: String,
    pub(super) limit: Duration,
    run: Box<dyn FnOnce() -> PhaseFuture + Send>,
}

type PhaseFuture = Pin<Box<dyn Future<Output = CheckResult> + Send>>;

impl Phase {
    pub(super) fn new<F, Fut>(name: String, limit: Duration, phase: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output: IntoCheckResult> + Send + 'static,
    {
        let run =
            move || -> PhaseFuture { Box::pin(phase().map(IntoCheckResult::into_check_result)) };
        Self { name, limit, run: Box::new(run) }
    }
}

impl Phases {
    pub(super) fn new(phases: Vec<Phase>) -> Self {
        let time = Self::time_of(&phases);
        Self { phases: Mutex::new(phases), time }
    }

    pub(super) fn time_of(phases: &[Phase]) -> Duration {
        phases.iter().fold(Duration::ZERO, |sum, phase| sum.saturating_add(phase.limit))
    }

    /// What they may take together.
    pub(super) fn time(&self) -> Duration {
        self.time
    }

    fn take(&self) -> Vec<Phase> {
        std::mem::take(&mut *lock(&self.phases))
    }
}

impl fmt::Debug for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phase").field("name", &self.name).field("limit", &self.limit).finish()
    }
}
