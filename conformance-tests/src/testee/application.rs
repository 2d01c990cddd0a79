//! The application that a testee serves beside its endpoints.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex};

use futures::channel::oneshot;
use futures::{FutureExt as _, Stream, StreamExt as _, future, stream};

use super::lock;
use crate::target::journal::{Journal, Line};

/// The application of a testee, whose pages its framework serves for any method:
///
/// | path | response |
/// |---|---|
/// | `/application` | `200`, `application` |
/// | `/slow` | `200`, `finished`, once [`finish`](Self::finish) completes |
/// | `/stream` | `200`, and the body of [`stream`](Self::stream) |
///
/// Any other path is a 404 of the framework. Clones share the waiting requests.
#[derive(Clone)]
pub struct Application {
    journal: Journal,
    waiting: Arc<Mutex<Vec<oneshot::Sender<()>>>>,
}

impl Application {
    /// An application without requests, which writes to `journal` when one waits.
    pub(super) fn new(journal: &Journal) -> Self {
        Self { journal: journal.clone(), waiting: Arc::default() }
    }

    /// Completes at the command `FINISH`. Reports that a request waits when it is first polled.
    pub fn finish(&self) -> impl Future<Output = ()> + Send + use<> {
        let application = self.clone();
        async move {
            let (finish, finished) = oneshot::channel();
            lock(&application.waiting).push(finish);
            application.journal.record(Line::Waiting);
            finished.map(drop).await
        }
    }

    /// The body of `/stream`: `started `, and `finished` when [`finish`](Self::finish) completes.
    pub fn stream(&self) -> impl Stream<Item = io::Result<&'static str>> + Send + use<> {
        let finished = self.finish().map(|()| "finished");
        stream::once(future::ready("started ")).chain(finished.into_stream()).map(Ok)
    }

    /// Completes the requests that wait.
    pub(super) fn finish_waiting(&self) {
        for finish in std::mem::take(&mut *lock(&self.waiting)) {
            // The client may have left.
            let _ = finish.send(());
        }
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").finish_non_exhaustive()
    }
}
