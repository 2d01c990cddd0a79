//! An application on the server of this crate.

use std::convert::Infallible;
use std::future::pending;
use std::io;

use health_conformance::Server;
use health_hyper::{Health, serve};
use health_testees::covered::serve_on;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Bytes, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

pub(crate) fn serve_app<S>(health: Health, app: S) -> io::Result<Server>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    serve_on(|listener| serve(listener, move |_| app.clone(), health, pending()))
}
