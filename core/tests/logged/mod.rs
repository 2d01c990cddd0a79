//! What tests log.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::subscriber::with_default;

use crate::callsites;

/// The lines that are logged on this thread while `run` runs.
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
    callsites::keep();
    let output = Output::default();
    let writer = output.clone();
    let subscriber = tracing_subscriber::fmt().without_time().with_ansi(false);
    with_default(subscriber.with_writer(move || writer.clone()).finish(), run);
    let bytes = output.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}
