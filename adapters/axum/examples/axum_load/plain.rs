//! One client that polls plain `/health` in a loop, on a separate thread: it must not queue behind the other
//! clients of this program.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::testee::Testee;

const IDLE: Duration = Duration::from_secs(1);

/// Does `work` while `/health` is polled, and prints what the polls took, then and before and after.
pub(crate) async fn meanwhile<T>(
    testee: &Testee,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<(T, String)> {
    let idle = async || {
        let polls = Polls::start(testee.address);
        sleep(IDLE).await;
        polls.stop()
    };
    let before = idle().await?;
    let polls = Polls::start(testee.address);
    let result = work.await?;
    let during = polls.stop()?;
    let after = idle().await?;
    let ratio = 2.0 * during.p99.as_secs_f64() / (before.p99 + after.p99).as_secs_f64();
    let microseconds = [during, before, after].map(|polls| polls.p99.as_micros());
    let [during_p99, before_p99, after_p99] = microseconds;
    let figures = format!(
        "{ratio:.1} x: {during_p99} µs, idle {before_p99} and {after_p99} µs; worst {:.1?}, idle {:.1?} and {:.1?}",
        during.worst, before.worst, after.worst,
    );
    Ok((result, figures))
}

struct Polls {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Vec<Duration>>>,
}

#[derive(Clone, Copy)]
struct Figures {
    p99: Duration,
    worst: Duration,
}

impl Polls {
    fn start(address: SocketAddr) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let is_told = is_over.clone();
        let thread = thread::spawn(move || poll(address, &is_told));
        Self { is_over, thread }
    }

    fn stop(self) -> io::Result<Figures> {
        self.is_over.store(true, Ordering::Relaxed);
        let times = self.thread.join();
        let mut times =
            times.map_err(|_| io::Error::other("a plain poll was answered wrongly"))??;
        times.sort_unstable();
        let count = times.len();
        Ok(Figures { p99: times[count * 99 / 100], worst: times[count - 1] })
    }
}

fn poll(address: SocketAddr, is_over: &AtomicBool) -> io::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut times = Vec::new();
    let mut answer = [0; 1024];
    while times.is_empty() || !is_over.load(Ordering::Relaxed) {
        let start = Instant::now();
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        // So small an answer comes in one piece.
        let length = stream.read(&mut answer)?;
        times.push(start.elapsed());
        let answer = &answer[..length];
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert!(answer.ends_with(b"\r\n\r\nOK"));
    }
    Ok(times)
}
