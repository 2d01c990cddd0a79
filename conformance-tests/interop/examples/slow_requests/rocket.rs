use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use futures::StreamExt as _;
use health_core::{Drain, Health, Signals};
use rocket::data::{IoHandler, IoStream};
use rocket::response::stream::ByteStream;
use rocket::response::{self, Responder};
use rocket::tokio::spawn;
use rocket::{Request, Response, State, get, post, routes};

use crate::{PROTOCOL, keep};

#[get("/events")]
fn events() -> ByteStream<impl futures::Stream<Item = Vec<u8>>> {
    ByteStream(crate::events().map(|chunk| chunk.unwrap_or_default()))
}

#[get("/download")]
fn download() -> ByteStream<impl futures::Stream<Item = Vec<u8>>> {
    ByteStream(crate::download().map(|chunk| chunk.unwrap_or_default()))
}

#[get("/never")]
async fn never() -> &'static str {
    crate::never().await
}

#[post("/upload", data = "<_body>")]
fn upload(_body: String) -> &'static str {
    "uploaded\n"
}

struct Socket(Health);

#[rocket::async_trait]
impl IoHandler for Socket {
    async fn io(self: Pin<Box<Self>>, io: IoStream) -> io::Result<()> {
        keep(self.0.clone(), async { Some(io) }).await;
        Ok(())
    }
}

impl<'r> Responder<'r, 'static> for Socket {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(Response::build().upgrade(PROTOCOL, self).finalize())
    }
}

#[get("/socket")]
fn socket(health: &State<Health>) -> Socket {
    Socket(health.inner().clone())
}

pub(crate) fn serve(
    bind: SocketAddr,
    health: Health,
    signals: Signals,
    drain: Drain,
) -> anyhow::Result<()> {
    rocket::async_main(launch(bind, health, signals, drain))
}

async fn launch(
    bind: SocketAddr,
    health: Health,
    signals: Signals,
    drain: Drain,
) -> anyhow::Result<()> {
    let config = rocket::Config::figment()
        .merge(("address", bind.ip()))
        .merge(("port", bind.port()))
        .merge(("shutdown.ctrlc", false))
        .merge(("shutdown.signals", [""; 0]));
    let rocket = rocket::custom(config)
        .mount("/", routes![events, download, never, upload, socket])
        .manage(health.clone())
        .attach(health_rocket::fairing(health.clone()))
        .ignite()
        .await?;
    let shutdown = rocket.shutdown();
    let drained = health.drain_when(signals, drain);
    spawn(async move {
        drained.await;
        shutdown.notify();
    });
    health.shut_down_after(async { rocket.launch().await.map(drop) }).await.exit()
}
