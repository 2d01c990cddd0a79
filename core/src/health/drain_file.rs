//! A drain that a file begins (H20).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use super::Health;
use crate::flow::Application;
use crate::log::LogRecord;
use crate::runtime::after;
use crate::runtime::context::Context;
use crate::runtime::guard::catch;
use crate::runtime::promise::Promise;

/// The time between two looks at the file.
const PERIOD: Duration = Duration::from_secs(1);

impl Health {
    /// Begins a [drain](Self::drain) when the file at `path` appears, or its modification time changes. So
    /// `touch /run/shop/drain` in a `preStop` hook or by an operator stops the application, with
    /// [`drain_when`](Self::drain_when). A file that an earlier process left behind, and that exists at the first look,
    /// does not count before it is touched or created again; an INFO record names it.
    ///
    /// A task on the [runtime](crate::Runtime) looks once a second, on a thread for blocking checks, until a drain begins or
    /// the last clone is dropped. It follows links. If the file cannot be looked up, for another reason than that it does
    /// not exist, one WARN is logged until it can.
    ///
    /// Everyone who may create the file can stop the application: choose a directory that belongs to the application's
    /// user, and not `/tmp`.
    pub fn drain_on_file(&self, path: impl Into<PathBuf>) {
        let application = Arc::downgrade(&self.0);
        let task = follow(application, path.into().into());
        let context = Context::current().outside_tokio();
        self.application().engine.spawn(context.wrap(Box::pin(task)));
    }
}

/// What a look has found: the modification time of the file, if it exists.
type Seen = Option<SystemTime>;

async fn follow(application: Weak<Application>, path: Arc<Path>) {
    let mut first = None;
    let mut is_unreadable = false;
    loop {
        let Some(looked) = look(&application, &path).await else {
            return;
        };
        let Some(health) = application.upgrade().map(Health) else {
            return;
        };
        let record = match (looked, first) {
            (Err(error), _) => {
                let begins = !std::mem::replace(&mut is_unreadable, true);
                begins.then(|| LogRecord::drain_file_is_unreadable(&path, &error))
            }
            (Ok(seen), None) => {
                first = Some(seen);
                is_unreadable = false;
                seen.map(|_| LogRecord::drain_file_is_old(&path))
            }
            (Ok(None), Some(_)) => {
                // A file that is created later counts, whatever its time.
                first = Some(None);
                is_unreadable = false;
                None
            }
            (Ok(seen), Some(first)) if seen != first => {
                let _ = catch(|| LogRecord::drain_file_is_found(&path).emit());
                health.drain();
                return;
            }
            (Ok(_), Some(_)) => {
                is_unreadable = false;
                None
            }
        };
        if let Some(record) = record {
            let _ = catch(|| record.emit());
        }
        if health.is_draining() {
            return;
        }
        let runtime = health.application().engine.runtime().clone();
        drop(health);
        let Some(next) = after(runtime.now(), PERIOD) else {
            return;
        };
        runtime.sleep_until(next).await;
    }
}

/// Looks at the file on another thread, however long that takes. `None` if the application is dropped.
async fn look(
    application: &Weak<Application>,
    path: &Arc<Path>,
) -> Option<Result<Seen, Arc<io::Error>>> {
    let looked = Arc::new(Promise::default());
    let (tells, path) = (looked.clone(), path.clone());
    let _job = application.upgrade()?.engine.blocking.submit(move || {
        let seen = match fs::metadata(&path) {
            // Without modification times, a change of the file is not noticed, but its creation is.
            Ok(metadata) => Ok(Some(metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Arc::new(error)),
        };
        tells.set(seen);
    });
    Some(looked.wait().await)
}
