//! The stop of a server (H26).

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};

/// How long a server that stops keeps a new connection for its first request ([H26](crate::contract#h26)).
pub const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// Polls `server`, and `stop` until it completes. Returns the output of `server`. For adapters whose framework has a handle that
/// stops the server.
pub async fn with_stop<S: Future>(server: S, stop: impl Future) -> S::Output {
    match select(pin!(server), pin!(stop)).await {
        Either::Left((output, _)) => output,
        Either::Right((_, server)) => server.await,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures::FutureExt as _;
    use futures::channel::oneshot;
    use futures::executor::block_on;

    use super::with_stop;

    #[test]
    fn the_server_ends_when_it_wants_to_and_not_when_the_stop_completes() {
        let (end, ended) = oneshot::channel();
        let mut server = Box::pin(with_stop(ended, ready(())));
        assert_eq!((&mut server).now_or_never(), None);
        end.send("ended").unwrap();
        assert_eq!(block_on(server), Ok("ended"));
        assert_eq!(block_on(with_stop(ready("failed"), pending::<()>())), "failed");
    }

    #[test]
    fn the_stop_can_end_the_server() {
        let (end, ended) = oneshot::channel();
        let stop = async { end.send(()) };
        assert_eq!(block_on(with_stop(ended, stop)), Ok(()));
    }
}
