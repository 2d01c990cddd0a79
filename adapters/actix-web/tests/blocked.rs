//! A liveness endpoint fails while handlers block every worker of the application: each has a heartbeat.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpServer, rt, web};
use health_actix_web::{Check, Health, Heartbeat};
use health_testees::blocked::{
    EXPIRY, TAG, WORKERS, block, liveness_fails_while_every_worker_is_blocked, ready,
};

#[actix_web::main]
async fn serve(health: Health, heartbeats: Vec<Heartbeat>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    ready(listener.local_addr().unwrap());
    let heartbeats = Arc::new(Mutex::new(heartbeats));
    let app = move || {
        let heartbeat = heartbeats.lock().unwrap().pop();
        rt::spawn(async move {
            while let Some(heartbeat) = &heartbeat {
                heartbeat.beat();
                rt::time::sleep(EXPIRY / 10).await;
            }
        });
        let blocking = || async {
            block();
            "free"
        };
        App::new()
            .service(health_actix_web::service(health.clone()))
            .route("/block", web::get().to(blocking))
    };
    HttpServer::new(app).workers(WORKERS).listen(listener).unwrap().run().await.unwrap();
}

#[test]
fn liveness_fails_while_handlers_block_every_worker() {
    let heartbeat = |worker| Heartbeat::new(format!("worker-{worker}"), EXPIRY);
    let heartbeats: Vec<_> = (0..WORKERS).map(heartbeat).collect();
    let checks: Vec<_> = heartbeats.iter().map(|it| Check::heartbeat(it).tag(TAG)).collect();
    liveness_fails_while_every_worker_is_blocked(
        "liveness_fails_while_handlers_block_every_worker",
        |builder| checks.into_iter().fold(builder, |builder, check| builder.register(check)),
        |health| serve(health, heartbeats),
    );
}
