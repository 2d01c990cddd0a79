//! The context of application code: its `tracing` span and subscriber, and its tokio runtime.

use std::future::Future;
use std::mem::replace;
use std::pin::Pin;
use std::task::Poll;

#[cfg(feature = "tokio")]
use ::tokio::runtime::Handle;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Span, dispatcher};

use super::Task;
#[cfg(feature = "tokio")]
use super::tokio::LiveRuntime;

/// The context of the code that captured it. Task locals and thread locals are not part of it.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// `None` without a subscriber, so that a subscriber which the program sets later is used.
    subscriber: Option<Dispatch>,
    span: Span,
    #[cfg(feature = "tokio")]
    tokio: Option<Handle>,
}

impl Context {
    /// The context of the caller. Its span stays open until this is dropped.
    pub(crate) fn current() -> Self {
        let subscriber = dispatcher::get_default(Dispatch::clone);
        Self {
            subscriber: (!subscriber.is::<NoSubscriber>()).then_some(subscriber),
            span: Span::current(),
            #[cfg(feature = "tokio")]
            tokio: Handle::try_current().ok(),
        }
    }

    /// No context.
    pub(crate) fn empty() -> Self {
        Self {
            subscriber: None,
            span: Span::none(),
            #[cfg(feature = "tokio")]
            tokio: None,
        }
    }

    /// This context without a tokio runtime.
    #[cfg_attr(not(feature = "tokio"), expect(unused_mut, reason = "there is nothing to change"))]
    pub(crate) fn outside_tokio(mut self) -> Self {
        #[cfg(feature = "tokio")]
        {
            self.tokio = None;
        }
        self
    }

    /// This context, with the tokio runtime of `live` if it has none.
    #[cfg(feature = "tokio")]
    pub(crate) fn or_in(mut self, live: &LiveRuntime) -> Self {
        self.tokio = self.tokio.take().or_else(|| live.get());
        self
    }

    /// This context in the span that `make` returns, which is called in this context and gets its span. A disabled span
    /// changes nothing.
    pub(crate) fn in_span(mut self, make: impl FnOnce(&Span) -> Span) -> Self {
        let span = self.enter(|| make(&self.span));
        if !span.is_disabled() {
            release(replace(&mut self.span, span));
        }
        self
    }

    /// Calls `call` in this context.
    pub(crate) fn enter<T>(&self, call: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tokio")]
        let _entered = self.tokio.as_ref().map(Handle::enter);
        let call = || self.span.in_scope(call);
        match &self.subscriber {
            Some(subscriber) => dispatcher::with_default(subscriber, call),
            None => call(),
        }
    }

    /// A task that is polled and dropped in this context.
    pub(crate) fn wrap(self, task: Task) -> Task {
        Box::pin(InContext { context: self, task: Some(task) })
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        release(replace(&mut self.span, Span::none()));
    }
}

/// Drops a handle to a span, with the subscriber of the span as that of the thread: there the registry of
/// tracing-subscriber looks for the parent of a span that closes.
pub(crate) fn release(span: Span) {
    match span.with_subscriber(|(_, subscriber)| subscriber.clone()) {
        Some(subscriber) => dispatcher::with_default(&subscriber, || drop(span)),
        None => drop(span),
    }
}

struct InContext {
    context: Context,
    task: Option<Task>,
}

impl Future for InContext {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> Poll<()> {
        let Self { context: own, task } = &mut *self;
        own.enter(|| match task {
            Some(task) => task.as_mut().poll(context),
            None => Poll::Ready(()),
        })
    }
}

impl Drop for InContext {
    fn drop(&mut self) {
        let Self { context, task } = self;
        context.enter(|| drop(task.take()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::span::{Attributes, Id, Record};
    use tracing::subscriber::with_default;
    use tracing::{Event, Metadata, Subscriber};

    use super::Context;

    /// Counts events.
    #[derive(Clone, Default)]
    struct Counter(Arc<AtomicUsize>);

    impl Subscriber for Counter {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn a_context_without_a_subscriber_leaves_the_one_it_is_entered_in() {
        let without = Context::current();
        let counter = Counter::default();
        with_default(counter.clone(), || without.enter(|| tracing::info!("event")));
        assert_eq!(counter.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_context_brings_its_subscriber() {
        let counter = Counter::default();
        let with = with_default(counter.clone(), Context::current);
        with.enter(|| tracing::info!("event"));
        assert_eq!(counter.0.load(Ordering::SeqCst), 1);
    }
}
