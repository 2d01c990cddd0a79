//! The heartbeat of a worker fails while a handler blocks it.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use actix_web::{App, HttpServer, rt, web};
use futures::executor::block_on;
use health_actix_web::{Check, Endpoint, Health, Heartbeat};

const WORKERS: usize = 2;
const EXPIRY: Duration = Duration::from_millis(500);

#[test]
fn the_heartbeat_of_a_blocked_worker_expires_and_those_of_others_do_not() {
    let heartbeat = |worker| Heartbeat::new(format!("worker-{worker}"), EXPIRY);
    let heartbeats: Vec<_> = (0..WORKERS).map(heartbeat).collect();
    let mut builder = Health::builder().endpoint(Endpoint::liveness("/live").tagged("worker"));
    for heartbeat in &heartbeats {
        builder = builder.register(Check::heartbeat(heartbeat).tag("worker"));
    }
    let health = builder.build().unwrap();

    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let heartbeats = Arc::new(Mutex::new(heartbeats));
    let served = health.clone();
    let app = move || {
        let heartbeat = heartbeats.lock().unwrap().pop();
        rt::spawn(async move {
            while let Some(heartbeat) = &heartbeat {
                heartbeat.beat();
                rt::time::sleep(EXPIRY / 10).await;
            }
        });
        let released = released.clone();
        let block = move || {
            let _ = released.lock().unwrap().recv();
            async { "free" }
        };
        App::new()
            .service(health_actix_web::service(served.clone()))
            .route("/block", web::get().to(block))
    };
    let (started, start) = mpsc::channel();
    let server = thread::spawn(move || {
        rt::System::new().block_on(async move {
            let server = HttpServer::new(app).workers(WORKERS).bind("127.0.0.1:0")?;
            let address = server.addrs()[0];
            let server = server.disable_signals().run();
            started.send((server.handle(), address)).unwrap();
            server.await
        })
    });
    let (handle, address) = start.recv().unwrap();

    let live = health.at("/live").unwrap();
    let failures = || -> Vec<String> {
        let answer = block_on(live.answer(""));
        let records: String = answer.records().map(ToString::to_string).collect();
        let expired = |worker: &usize| {
            let result = format!(r#""name":"worker-{worker}","status":"ERROR""#);
            records.contains(&result)
        };
        (0..WORKERS).filter(expired).map(|worker| worker.to_string()).collect()
    };
    let wait_for = |count: usize| {
        while failures().len() != count {
            thread::sleep(Duration::from_millis(1));
        }
    };
    wait_for(0);
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"GET /block HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    wait_for(1);
    drop(release);
    wait_for(0);
    block_on(handle.stop(false));
    server.join().unwrap().unwrap();
}
