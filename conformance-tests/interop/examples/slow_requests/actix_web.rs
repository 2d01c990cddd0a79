use std::io;
use std::net::{SocketAddr, TcpListener};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use futures::{Stream, StreamExt as _};
use health_core::{Drain, Health, Signals};

use crate::{PROTOCOL, download, events, never};

fn body(chunks: impl Stream<Item = Result<Vec<u8>, io::Error>> + 'static) -> HttpResponse {
    HttpResponse::Ok().streaming(chunks.map(|chunk| chunk.map(web::Bytes::from)))
}

/// actix-web passes on what the client sends as the body of the request.
async fn socket(_request: HttpRequest, _received: web::Payload) -> HttpResponse {
    let mut response = HttpResponse::SwitchingProtocols();
    response.upgrade(PROTOCOL).streaming(events().map(|chunk| chunk.map(web::Bytes::from)))
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
            .route("/socket", web::get().to(socket))
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
