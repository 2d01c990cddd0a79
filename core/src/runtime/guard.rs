//! Contains panics in code of the application (H12).
//!
//! A panic can come from the call that creates a future, from a poll, from the future's `Drop`, and from the `Drop` of the
//! panic's payload. This module contains all of them. No library can contain two cases, because the process aborts: any
//! panic under `panic = "abort"`, and a value whose `Drop` panics while another panic unwinds past it.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::text::cut;

/// A caught panic. `Display` shows a sentence for the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Panicked {
    payload: Option<String>,
}

impl Panicked {
    fn new(payload: Box<dyn Any + Send>) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let panicked = Self { payload: text.map(cut) };
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            // Dropping it could panic again, without end. Leaking one payload is better.
            std::mem::forget(second);
        }
        panicked
    }
}

impl Panicked {
    /// Whether the message contains `text`.
    pub(crate) fn contains(&self, text: &str) -> bool {
        let payload = self.payload.as_deref();
        payload.is_some_and(|payload| payload.contains(text))
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.payload {
            Some(payload) => write!(f, "panicked: {payload}"),
            None => f.write_str("panicked"),
        }
    }
}

/// Calls `call`, and returns a panic as an error.
pub(crate) fn catch<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    // Unwind safety: a panic can leave only values of the application inconsistent. Of ours it can reach only reports,
    // which are complete or absent.
    catch_unwind(AssertUnwindSafe(call)).map_err(Panicked::new)
}

/// A future that returns `Err` if the inner future panics in any of these ways.
pub(crate) struct Guarded<F>(State<F>);

enum State<F> {
    Running(F),
    /// The call that creates the future panicked. `None` after the panic was returned.
    Ended(Option<Panicked>),
}

impl<F> Guarded<F> {
    /// Guards the call that creates the future, and the future.
    pub(crate) fn new(make: impl FnOnce() -> F) -> Self {
        Self(match catch(make) {
            Ok(future) => State::Running(future),
            Err(panicked) => State::Ended(Some(panicked)),
        })
    }

    /// Drops the inner future, if it was not dropped yet.
    fn end(&mut self) -> Result<(), Panicked> {
        let state = std::mem::replace(&mut self.0, State::Ended(None));
        catch(|| drop(state))
    }
}

impl<F: Future + Unpin> Future for Guarded<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = match &mut self.0 {
            State::Running(future) => catch(|| Pin::new(future).poll(context)),
            State::Ended(panicked) => {
                return panicked
                    .take()
                    .map_or(Poll::Pending, |panicked| Poll::Ready(Err(panicked)));
            }
        };
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(self.end().map(|()| output)),
            Err(panicked) => {
                let _ = self.end();
                Poll::Ready(Err(panicked))
            }
        }
    }
}

/// A future that is dropped before it is ready has no result, so a panic cannot be reported.
impl<F> Drop for Guarded<F> {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::panic::panic_any;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures::FutureExt as _;
    use futures::executor::block_on;
    use futures::future::{BoxFuture, pending, ready};

    use super::Guarded;

    struct PanicsInDrop;

    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }

    /// Its payload's drop panics with a payload whose drop panics, and so on without end.
    struct EndlessPanic;

    impl Drop for EndlessPanic {
        fn drop(&mut self) {
            panic_any(EndlessPanic);
        }
    }

    impl Future for PanicsInDrop {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }
    }

    fn outcome<F: Future<Output = ()> + Send + 'static>(
        make: impl FnOnce() -> F,
    ) -> Result<(), String> {
        let guarded = Guarded::new(|| -> BoxFuture<'static, ()> { make().boxed() });
        block_on(guarded).map_err(|panicked| panicked.to_string())
    }

    #[test]
    fn a_future_that_does_not_panic_returns_its_output() {
        assert_eq!(outcome(|| ready(())), Ok(()));
    }

    #[test]
    fn a_panic_in_the_call_is_an_error() {
        let make = || -> BoxFuture<'static, ()> { panic!("no future") };
        assert_eq!(outcome(make), Err("panicked: no future".to_owned()));
    }

    #[test]
    fn a_panic_in_a_poll_is_an_error() {
        let poll = || async { panic!("at {}", "poll") };
        assert_eq!(outcome(poll), Err("panicked: at poll".to_owned()));
    }

    #[test]
    fn a_panic_in_the_drop_of_a_finished_future_is_an_error() {
        assert_eq!(outcome(|| PanicsInDrop), Err("panicked: in drop".to_owned()));
    }

    #[test]
    fn a_panic_in_the_drop_of_the_payload_is_contained() {
        let poll = || async { panic_any(EndlessPanic) };
        assert_eq!(outcome(poll), Err("panicked".to_owned()));
    }

    #[test]
    fn a_panic_in_the_drop_of_a_run_that_was_given_up_is_contained() {
        let mut guarded = Guarded::new(|| {
            let held = PanicsInDrop;
            async move {
                let _held = held;
                pending::<()>().await;
            }
            .boxed()
        });
        assert!((&mut guarded).now_or_never().is_none());
        drop(guarded);
    }
}
