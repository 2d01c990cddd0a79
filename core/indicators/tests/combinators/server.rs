//! A server that does what a test says, in virtual time.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::pending;
use health_conformance::testee::VirtualTime;
use health_core::{CheckResult, Report, Runtime as _};
use health_indicators::{Indicator, Kept, kept};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);
pub(crate) const RETRY_DELAY: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Conduct {
    Responds,
    RespondsAfter(Duration),
    Fails(ErrorKind),
    IsSilent,
    Panics,
}

pub(crate) use Conduct::{Fails, IsSilent, Panics, Responds, RespondsAfter};

/// What it does when a connection is opened, and at a ping by one that was opened before or after its last restart.
#[derive(Debug, Clone, Copy)]
struct Conducts {
    connect: Conduct,
    old: Conduct,
    new: Conduct,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) time: VirtualTime,
    conducts: Mutex<Conducts>,
    restarts: AtomicUsize,
    opened: AtomicUsize,
    open: AtomicUsize,
}

impl Server {
    pub(crate) fn new(time: &VirtualTime) -> Arc<Self> {
        Arc::new(Self {
            time: time.clone(),
            conducts: Mutex::new(Conducts { connect: Responds, old: Responds, new: Responds }),
            restarts: AtomicUsize::new(0),
            opened: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        })
    }

    pub(crate) fn connect(&self, conduct: Conduct) {
        self.conducts.lock().unwrap().connect = conduct;
    }

    pub(crate) fn ping(&self, conduct: Conduct) {
        self.conducts.lock().unwrap().new = conduct;
    }

    /// From now on, the connections that exist do this at a ping.
    pub(crate) fn restart(&self, old: Conduct) {
        self.conducts.lock().unwrap().old = old;
        self.restarts.fetch_add(1, Ordering::SeqCst);
    }

    /// How many connections were opened so far.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    pub(crate) fn indicator(self: &Arc<Self>) -> Kept<Connection> {
        let server = self.clone();
        kept(
            move || Connection::open(server.clone()),
            |connection: &mut Connection| Box::pin(connection.ping()),
        )
        .timeout(TIMEOUT)
        .retry_delay(RETRY_DELAY)
        .runtime(self.time.clone())
    }

    async fn act(&self, conduct: Conduct) -> io::Result<()> {
        match conduct {
            Responds => {}
            RespondsAfter(time) => self.time.sleep_until(self.time.now() + time).await,
            Fails(kind) => return Err(io::Error::new(kind, "redis://:secret@cache is broken")),
            IsSilent => pending().await,
            Panics => panic!("password=secret"),
        }
        Ok(())
    }
}

/// A connection that counts as open until it is dropped.
pub(crate) struct Connection {
    server: Arc<Server>,
    restarts: usize,
}

impl Connection {
    pub(crate) async fn open(server: Arc<Server>) -> io::Result<Self> {
        server.opened.fetch_add(1, Ordering::SeqCst);
        let conduct = server.conducts.lock().unwrap().connect;
        server.act(conduct).await?;
        server.open.fetch_add(1, Ordering::SeqCst);
        let restarts = server.restarts.load(Ordering::SeqCst);
        Ok(Self { server, restarts })
    }

    async fn ping(&mut self) -> io::Result<()> {
        let conducts = *self.server.conducts.lock().unwrap();
        let is_new = self.restarts == self.server.restarts.load(Ordering::SeqCst);
        self.server.act(if is_new { conducts.new } else { conducts.old }).await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.server.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A test of an indicator that has begun.
pub(crate) struct Test(Arc<Mutex<Option<Report>>>);

impl Test {
    pub(crate) fn begin(time: &VirtualTime, indicator: &Arc<impl Indicator>) -> Self {
        let (report, indicator) = (Arc::new(Mutex::new(None)), indicator.clone());
        let reported = report.clone();
        time.spawn(Box::pin(async move {
            let result: CheckResult = indicator.test().await;
            *reported.lock().unwrap() = Some(Report::of("server", result));
        }));
        time.settle();
        Self(report)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.lock().unwrap().is_some()
    }

    /// What it reported; it must have ended.
    pub(crate) fn report(&self) -> Report {
        self.0.lock().unwrap().clone().expect("the test has not ended")
    }
}

/// The report of a test that ends before any time passes.
pub(crate) fn report_of(time: &VirtualTime, indicator: &Arc<impl Indicator>) -> Report {
    Test::begin(time, indicator).report()
}
