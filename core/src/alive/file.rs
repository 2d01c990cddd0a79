//! The alive file: the modification time of a file shows that an endpoint is not failing.

use std::fs::{self, File};
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use super::{Followed, Pulse, live};
use crate::flow::{Application, Watch};
use crate::log::LogRecord;
use crate::maintenance::{Probe, Prober, is_exposed};
use crate::runtime::guard::catch;
use crate::runtime::{Runtime, after, until};

/// The longest time that the task waits for the file system.
const LIMIT: Duration = Duration::from_secs(1);
/// A shorter interval would keep a thread busy.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// The task that touches the file.
#[derive(Debug)]
pub(crate) struct AliveFile {
    application: Weak<Application>,
    path: Arc<Path>,
    /// `None` if there is no endpoint on which the file depends.
    endpoint: Option<Followed>,
    pulse: Pulse,
    /// On a thread of its own, because a file system may hang.
    touches: Prober<Touch>,
    /// Whether the last touch failed.
    is_failing: bool,
}

impl AliveFile {
    /// `endpoint` is the watch of the endpoint on which the file depends.
    pub(crate) fn new(
        application: Weak<Application>,
        path: PathBuf,
        interval: Duration,
        now: Instant,
        endpoint: Option<Watch>,
    ) -> Self {
        let path: Arc<Path> = path.into();
        let touch = Touch { path: path.clone(), was_surveyed: AtomicBool::new(false) };
        Self {
            application,
            path,
            endpoint: endpoint.map(Followed::new),
            pulse: Pulse::new(interval.max(SHORTEST_INTERVAL), now),
            touches: Prober::fleeting("health-alive", touch, LIMIT),
            is_failing: false,
        }
    }

    /// Touches the file when that is due, until the application is dropped.
    pub(crate) async fn run(mut self, runtime: Arc<dyn Runtime>) {
        // The first state is usually known at once.
        poll_fn(|context| Poll::Ready(self.endpoint.as_mut().map(|it| it.poll(context)))).await;
        while self.application.strong_count() > 0 {
            let next = self.beat(&runtime).await;
            let news = poll_fn(|context| match self.endpoint.as_mut().map(|it| it.poll(context)) {
                Some(true) => Poll::Ready(()),
                _ => Poll::Pending,
            });
            until(&*runtime, next, news).await;
        }
    }

    /// Touches the file if that is due, and returns when to look again.
    async fn beat(&mut self, runtime: &Arc<dyn Runtime>) -> Option<Instant> {
        let now = runtime.now();
        let live = live(self.endpoint.as_ref());
        if self.pulse.begins_to_withhold(live, now) {
            warn(LogRecord::alive_file_is_withheld(&self.path));
        }
        if self.pulse.is_due(live, now) {
            let touched = self.touches.probe(runtime).await;
            let Some(Ok(is_exposed)) = touched else {
                let error = touched.and_then(Result::err);
                if !std::mem::replace(&mut self.is_failing, true) {
                    warn(LogRecord::alive_file_not_touched(&self.path, error.as_deref(), LIMIT));
                }
                return after(runtime.now(), self.pulse.retry());
            };
            self.is_failing = false;
            self.pulse.beaten(now);
            if is_exposed {
                warn(LogRecord::alive_file_is_exposed(&self.path));
            }
        }
        self.pulse.next(live)
    }
}

/// The log is code of the application.
fn warn(record: LogRecord) {
    let _ = catch(|| record.emit());
}

/// Sets the modification time of the file, and creates the file if it does not exist.
#[derive(Debug)]
struct Touch {
    path: Arc<Path>,
    /// Whether a touch has looked at the directory.
    was_surveyed: AtomicBool,
}

impl Probe for Touch {
    /// Whether to warn that any local user can touch the file, too.
    type Output = Result<bool, String>;

    fn probe(&self, _: &dyn Runtime, _: Instant) -> Self::Output {
        touch(&self.path).map_err(|error| error.to_string())?;
        Ok(!self.was_surveyed.swap(true, Ordering::Relaxed) && is_exposed(&self.path))
    }
}

/// Neither follows a link nor opens anything but a regular file: opening a pipe for writing blocks. In a directory that
/// belongs to the service, nothing changes between the two calls.
fn touch(path: &Path) -> io::Result<()> {
    let file = match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => File::options().write(true).open(path)?,
        Ok(_) => return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            File::options().write(true).create_new(true).open(path)?
        }
        Err(error) => return Err(error),
    };
    file.set_modified(SystemTime::now())
}
