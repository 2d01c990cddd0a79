//! A drain that a file begins (H20).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

use super::Health;
use crate::flow::Application;
use crate::log::LogRecord;
use crate::maintenance::{Probe, Prober};
use crate::runtime::context::Context;
use crate::runtime::guard::catch;
use crate::runtime::{Runtime, after};

/// The time between two looks at the file.
const PERIOD: Duration = Duration::from_secs(1);

/// The longest time that the task waits for the file system.
const LIMIT: Duration = Duration::from_secs(1);

impl Health {
    /// Begins a [drain](Self::drain) when the file at `path` appears, or its modification time changes. So
    /// `touch /run/shop/drain` in a `preStop` hook or by an operator stops the application, with
    /// [`drain_when`](Self::drain_when). A file that an earlier process left behind, and that exists at the first look,
    /// does not count before it is touched or created again; an INFO record names it.
    ///
    /// A task on the [runtime](crate::Runtime) looks once a second, on a separate thread, until a drain begins or the
    /// last clone is dropped. It follows links. If the file cannot be looked up, for another reason than that it does
    /// not exist, or if that takes longer than a second, one WARN is logged until it can. In a process that forks, call
    /// it in the child.
    ///
    /// Everyone who may create the file can stop the application: choose a directory that belongs to the application's
    /// user, and not `/tmp`.
    pub fn drain_on_file(&self, path: impl Into<PathBuf>) {
        let path: Arc<Path> = path.into().into();
        let runtime = self.application().engine.runtime().clone();
        let prober = Prober::fleeting("health-drain", Stat(path.clone()), LIMIT);
        let task = follow(Arc::downgrade(&self.0), path, prober, runtime);
        let context = Context::current().outside_tokio();
        self.application().engine.spawn(context.wrap(Box::pin(task)));
    }
}

/// Looks up the modification time of the file.
#[derive(Debug)]
struct Stat(Arc<Path>);

/// `None` if the file does not exist.
type ModificationTime = Option<SystemTime>;

impl Probe for Stat {
    type Output = Result<ModificationTime, String>;

    fn probe(&self, _: &dyn Runtime, _: Instant) -> Self::Output {
        match fs::metadata(&self.0) {
            // Without modification times, only the creation of the file is noticed.
            Ok(metadata) => Ok(Some(metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

async fn follow(
    application: Weak<Application>,
    path: Arc<Path>,
    prober: Prober<Stat>,
    runtime: Arc<dyn Runtime>,
) {
    let mut earlier = None;
    let mut is_unreadable = false;
    loop {
        let found = prober.probe(&runtime).await;
        let Some(health) = application.upgrade().map(Health) else {
            return;
        };
        let record = match found {
            Some(Ok(time)) => {
                is_unreadable = false;
                match earlier {
                    Some(earlier) if time.is_some() && time != earlier => {
                        emit(LogRecord::drain_file_is_found(&path));
                        health.drain();
                        None
                    }
                    Some(_) => {
                        if time.is_none() {
                            // A file that is created later counts, whatever its time.
                            earlier = Some(None);
                        }
                        None
                    }
                    None => {
                        earlier = Some(time);
                        time.map(|_| LogRecord::drain_file_is_old(&path))
                    }
                }
            }
            Some(Err(_)) | None => {
                let error = found.and_then(Result::err);
                let begins = !std::mem::replace(&mut is_unreadable, true);
                begins.then(|| LogRecord::drain_file_is_unreadable(&path, error.as_deref(), LIMIT))
            }
        };
        if let Some(record) = record {
            emit(record);
        }
        if health.is_draining() {
            return;
        }
        drop(health);
        let Some(next) = after(runtime.now(), PERIOD) else {
            return;
        };
        runtime.sleep_until(next).await;
    }
}

/// The log is code of the application.
fn emit(record: LogRecord) {
    let _ = catch(|| record.emit());
}
