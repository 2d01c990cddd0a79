//! What this process uses of what the system allows it, which this program fills itself.
//!
//! Its limits are in `health_interop/indicators/limited.py`. What is filled leaves enough for the other indicators.

use std::fs::File;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use health_indicators::{Usage, memory, open_files, threads};

use crate::case::Case::{NoWrites, Up};
use crate::row::{Fill, Made, Row};

/// Of 16,384.
const FILES: usize = 14_000;
/// Of 2,000.
const THREADS: usize = 1_700;
/// Of 1 GiB.
const MEMORY: usize = 512 << 20;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("`open_files`", open_files, open_many),
        row("`threads`", threads, start_many),
        // Without memory, the kernel would end this program.
        row("`memory`", || memory().degraded_above(0.5), take_much),
    ]
}

fn row(name: &'static str, usage: fn() -> Usage, fill: Fill) -> Row {
    let make = move |_| Ok(Made { fill: Some(fill), ..Made::new(usage().check("usage")) });
    Row::of(name, &[Up, NoWrites], make).without_connections()
}

fn open_many() -> anyhow::Result<Box<dyn Send>> {
    let open = || File::open("/dev/null").context("a file cannot be opened");
    let files = (0..FILES).map(|_| open()).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Box::new(files))
}

fn take_much() -> anyhow::Result<Box<dyn Send>> {
    // Zeros would take none.
    Ok(Box::new(vec![1_u8; MEMORY]))
}

fn start_many() -> anyhow::Result<Box<dyn Send>> {
    let mut threads = Threads::default();
    for _ in 0..THREADS {
        threads.start().context("a thread cannot be started")?;
    }
    Ok(Box::new(threads))
}

/// Threads that wait for their end, which is that of this.
#[derive(Default)]
struct Threads(Vec<(Sender<()>, JoinHandle<()>)>);

impl Threads {
    fn start(&mut self) -> std::io::Result<()> {
        let (sender, end): (_, Receiver<()>) = channel();
        let wait = move || end.recv().unwrap_or(());
        self.0.push((sender, thread::Builder::new().stack_size(64 << 10).spawn(wait)?));
        Ok(())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let (senders, threads): (Vec<_>, Vec<_>) = self.0.drain(..).unzip();
        drop(senders);
        for thread in threads {
            thread.join().ok();
        }
    }
}
