//! One connection, from its acceptance to its end.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use health_core::FIRST_REQUEST;
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::Stage;
use super::activity::{Activity, Observed};

/// How often a connection that was told to close is asked whether it has anything to finish.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

pub(super) struct Connection {
    /// How many connections were accepted up to this one.
    pub(super) number: u32,
    pub(super) activity: Activity,
    pub(super) stages: watch::Receiver<Stage>,
}

impl Connection {
    pub(super) async fn serve<I, S, B>(mut self, io: I, service: S)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Service<Request<Incoming>, Response = Response<B>, Future: Send + 'static>,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let accepted = Instant::now();
        // hyper drops the streams of a connection that is dropped.
        let mut builder = Builder::new(TokioExecutor::new());
        // For web sockets, as `axum::serve` does.
        builder.http2().enable_connect_protocol();
        let io = TokioIo::new(Observed { io, activity: self.activity.clone() });
        let mut connection = pin!(builder.serve_connection_with_upgrades(io, service));
        let mut stage = *self.stages.borrow_and_update();
        let mut goes_away = false;
        let spread = loop {
            if let Stage::Stop(spread) = stage {
                break spread;
            }
            let ended = until_changed(&mut self.stages, |context| {
                loop {
                    // An error is one of the client's, and hyper has sent the response to it.
                    if connection.as_mut().poll(context).is_ready() {
                        return Poll::Ready(());
                    }
                    if goes_away || stage == Stage::Serve || !self.activity.http2() {
                        return Poll::Pending;
                    }
                    goes_away = true;
                    self.activity.expect_answer();
                    connection.as_mut().graceful_shutdown();
                }
            });
            if ended.await {
                return;
            }
            stage = *self.stages.borrow_and_update();
        };
        let close = Instant::now() + share(self.number, spread);
        for time in [close, accepted + FIRST_REQUEST] {
            let is_new = !self.activity.any();
            if time == close || is_new {
                let mut timer = pin!(sleep_until(time));
                let ended = poll_fn(|context| match connection.as_mut().poll(context) {
                    Poll::Ready(_) => Poll::Ready(true),
                    Poll::Pending => timer.as_mut().poll(context).map(|()| false),
                });
                if ended.await {
                    return;
                }
            }
        }
        if !goes_away {
            self.activity.expect_answer();
        }
        connection.as_mut().graceful_shutdown();
        // hyper would wait without limit for the rest of a head, or for a client over HTTP/2 that is gone.
        while timeout(LOOK_PERIOD, connection.as_mut()).await.is_err()
            && self.activity.is_unfinished()
        {}
    }
}

/// Polls a connection until it ends or the stage changes. Returns whether it has ended. If the server was dropped,
/// there is no stage any more, and this task is about to be aborted.
async fn until_changed(
    stages: &mut watch::Receiver<Stage>,
    mut poll_connection: impl FnMut(&mut Context<'_>) -> Poll<()>,
) -> bool {
    let mut changed = pin!(stages.changed());
    poll_fn(|context| match poll_connection(context) {
        Poll::Ready(()) => Poll::Ready(true),
        Poll::Pending => changed.as_mut().poll(context).map(|changed| changed.is_err()),
    })
    .await
}

/// The part of `spread` after which the connection closes. Those of successive numbers are far apart.
fn share(number: u32, spread: Duration) -> Duration {
    // The golden ratio of the range.
    let share = number.wrapping_mul(0x9E37_79B9);
    spread.mul_f64(f64::from(share) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::ready;
    use std::sync::mpsc;
    use std::thread;

    use hyper::Response;
    use hyper::service::service_fn;
    use tokio::io::duplex;
    use tokio::sync::watch;

    use super::{Activity, Connection, Duration, Stage, share};

    #[test]
    fn a_connection_ends_when_the_server_has_been_dropped() {
        let (end, ended) = mpsc::channel();
        // A thread of its own: a connection that spins cannot be aborted.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let (_client, io) = duplex(1024);
                let (_, stages) = watch::channel(Stage::Serve);
                let app = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(String::new()))));
                Connection { number: 1, activity: Activity::default(), stages }
                    .serve(io, app)
                    .await;
            });
            end.send(()).unwrap();
        });
        ended.recv_timeout(Duration::from_secs(20)).unwrap();
    }

    #[test]
    fn connections_close_evenly_spread() {
        let spread = Duration::from_millis(500);
        let mut closes = [0; 50];
        for number in 1_000..11_000 {
            let share = share(number, spread);
            assert!(share <= spread, "{share:?}");
            closes[(share.as_millis() / 10).min(49) as usize] += 1;
        }
        assert!(closes.iter().all(|count| (190..=210).contains(count)), "{closes:?}");
        assert_eq!(share(7, Duration::ZERO), Duration::ZERO);
    }
}
