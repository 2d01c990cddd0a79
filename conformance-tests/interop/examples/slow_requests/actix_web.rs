use std::io;
use std::net::{SocketAddr, TcpListener};

use actix_web::{App, HttpResponse, HttpServer, rt, web};
use futures::{Stream, StreamExt as _};
use health_core::{Drain, Health, Signals};

use crate::{download, events, never};

fn body(chunks: impl Stream<Item = Result<Vec<u8>, io::Error>> + 'static) -> HttpResponse {
    HttpResponse::Ok().streaming(chunks.map(|chunk| chunk.map(web::Bytes::from)))
}

#[actix_web::main]
pub(crate) async fn serve(
    bind: SocketAddr,
    health: Health,
    signals: Signals,
    drain: Drain,
) -> anyhow::Result<()> {
    let endpoints = health.clone();
    let app = move || {
        App::new()
            .wrap(health_actix_web::middleware(endpoints.clone()))
            .route("/events", web::get().to(move || async move { body(events()) }))
            .route("/download", web::get().to(move || async move { body(download()) }))
            .route("/never", web::get().to(never))
            .route("/upload", web::post().to(|_body: String| async { "uploaded\n" }))
    };
    let server = HttpServer::new(app).listen(TcpListener::bind(bind)?)?.disable_signals().run();
    let handle = server.handle();
    let drained = health.drain_when(signals, drain);
    rt::spawn(async move {
        drained.await;
        handle.stop(true).await;
    });
    health.shut_down_after(server).await.exit()
}
