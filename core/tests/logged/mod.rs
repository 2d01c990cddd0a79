//! What tests log, whatever other threads of the process do.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::Dispatch;
use tracing::subscriber::with_default;
use tracing_subscriber::Registry;

/// Subscribers that live as long as the process. While there are fewer than two, `tracing` asks about a new callsite only the
/// thread that comes to it first: a thread without a subscriber would disable it for the subscribers of all tests.
static KEPT: LazyLock<[Dispatch; 2]> =
    LazyLock::new(|| [(); 2].map(|()| Registry::default().into()));

/// Keeps every callsite enabled. A test that has a subscriber calls it first, and so does one that must have none beside
/// such tests.
pub(crate) fn keep_callsites() {
    LazyLock::force(&KEPT);
}

/// The lines that are logged on this thread while `run` runs.
#[allow(dead_code, reason = "some tests have their own subscribers")]
pub(crate) fn logged(run: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    keep_callsites();
    let output = Output::default();
    let writer = output.clone();
    let subscriber = tracing_subscriber::fmt().without_time().with_ansi(false);
    with_default(subscriber.with_writer(move || writer.clone()).finish(), run);
    let bytes = output.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}
