//! An application on the server of this crate.

use std::convert::Infallible;
use std::future::pending;
use std::io;

use futures::{Stream, TryStreamExt as _};
use health_conformance::Server;
use health_hyper::{Health, serve};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

pub(crate) fn serve_app<S>(health: Health, app: S) -> io::Result<Server>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let inside = runtime.enter();
    runtime.spawn(serve(listener, move |_| app.clone(), health, pending()));
    drop(inside);
    Ok(Server::new(address, || runtime.shutdown_background()))
}

/// A body that is known as a whole.
pub(crate) fn whole(text: impl Into<String>) -> Body {
    text.into().map_err(|never| match never {}).boxed_unsync()
}

/// A body that is a stream.
pub(crate) fn parts(parts: impl Stream<Item = io::Result<&'static str>> + Send + 'static) -> Body {
    StreamBody::new(parts.map_ok(|part| Frame::data(part.into()))).boxed_unsync()
}
