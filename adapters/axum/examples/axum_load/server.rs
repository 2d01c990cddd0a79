//! The server: one endpoint for each scenario.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{io, thread};

use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use health_core::{Check, Health, HealthBuilder, HealthConfig};
use tokio::net::TcpListener;
use tokio::time::sleep;

const DISABLEFILE: &str = "/run/health-load/maintenance";
const MINUTE: Duration = Duration::from_secs(60);

/// How often a check was executed.
static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);

pub(crate) async fn serve(scenario: &str) -> io::Result<()> {
    let config = HealthConfig::default().with_disablefile(DISABLEFILE);
    let health = described(scenario)?.config(config);
    let health = health.build().map_err(io::Error::other)?;
    let app = Router::new()
        .route("/executions", get(executions))
        .route("/by-hand", get(by_hand))
        .merge(health_axum::router(health));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    // Pipelined answers would wait for the client's delayed acknowledgements.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, app).await
}

async fn executions() -> String {
    EXECUTIONS.load(Ordering::Relaxed).to_string()
}

/// What a handler without any library would do for the check of 300 ms: it has nothing to share or to hold to a time.
async fn by_hand() -> &'static str {
    sleep(Duration::from_millis(300)).await;
    "OK"
}

fn described(scenario: &str) -> io::Result<HealthBuilder> {
    let builder = Health::builder();
    Ok(match scenario {
        "async-100" => many(100, |name| sleeping(name, 50)),
        "async-1000" => many(1000, |name| sleeping(name, 50)),
        "blocking-100" => many(100, |name| blocking(name, Duration::from_millis(50))),
        "shared" | "leaving" => builder.register(sleeping("slow".to_owned(), 300)),
        "broken" | "blocked" => {
            // The log goes to standard output, where the measuring program reads it.
            tracing_subscriber::fmt().with_ansi(false).init();
            let builder = builder
                .timeout(Duration::from_secs(1))
                .check("hanging", pending::<Result<(), String>>)
                .register(blocking("blocking".to_owned(), MINUTE))
                .check("panicking", panicking)
                .check("fine", fine);
            match scenario {
                "blocked" => builder.check("blocking-async", blocking_async),
                _ => builder,
            }
        }
        "stuck" => builder
            .timeout(Duration::from_millis(100))
            .register(blocking("stuck".to_owned(), 60 * MINUTE))
            .check("fine", fine),
        _ => return Err(io::Error::other(format!("no scenario {scenario:?}"))),
    })
}

fn many(count: usize, check: impl Fn(String) -> Check) -> HealthBuilder {
    let names = (0..count).map(|number| format!("check-{number}"));
    names.fold(Health::builder(), |builder, name| builder.register(check(name)))
}

fn sleeping(name: String, milliseconds: u64) -> Check {
    Check::new(name, move || async move {
        EXECUTIONS.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(milliseconds)).await;
        Ok::<(), String>(())
    })
}

fn blocking(name: String, time: Duration) -> Check {
    Check::blocking(name, move || {
        thread::sleep(time);
        Ok::<(), String>(())
    })
}

async fn panicking() -> Result<(), String> {
    std::panic::resume_unwind(Box::new("a check that panics"))
}

async fn fine() -> Result<(), String> {
    Ok(())
}

/// What no check should do.
async fn blocking_async() -> Result<(), String> {
    thread::sleep(MINUTE);
    Ok(())
}
