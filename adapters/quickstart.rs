//! What the quickstarts of all frameworks share: two checks, the address, and what to try.

mod failure;

use std::env;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use health_core::Health;

pub(crate) use self::failure::Failure;

/// Passes while files can be written to the temporary directory.
pub(crate) async fn scratch_space() -> io::Result<()> {
    // Two requests may ask at the same time: each needs a file of its own.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("health-quickstart-{}-{count}", std::process::id());
    let probe = env::temp_dir().join(name);
    File::create_new(&probe)?;
    fs::remove_file(&probe)
}

/// Passes while the stock list is there: remove it, and the application is unhealthy.
pub(crate) async fn stock_list() -> Result<(), String> {
    let path = stock_file();
    fs::metadata(&path)
        .map(drop)
        .map_err(|error| format!("no stock list at {}: {error}", path.display()))
}

fn stock_file() -> PathBuf {
    env::temp_dir().join("health-quickstart-stock")
}

/// Logs to the terminal, puts the stock list in place, and returns the address to serve at: `BIND`, or
/// 127.0.0.1:8080.
pub(crate) fn prepare() -> Result<SocketAddr, Failure> {
    tracing_subscriber::fmt().init();
    match File::create_new(stock_file()) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    bind.parse().map_err(|_| {
        Failure::from(format!(
            "BIND={bind} is not an address such as 127.0.0.1:8080"
        ))
    })
}

/// Prints what to try.
pub(crate) fn introduce(address: SocketAddr, health: &Health) {
    let config = health.config();
    let url = format!("http://{address}{}", config.url());
    println!("\nServing {url}. In another terminal, try:\n");
    println!("  curl -i {url}                     # 200 OK");
    println!("  curl -i '{url}?checks=all'        # 200 OK, and the checks were run");
    if let Some(disablefile) = config.disablefile() {
        let (disablefile, code) = (disablefile.display(), config.maintenance_code().as_u16());
        println!("\n  touch {disablefile}");
        println!("  curl -i {url}                     # {code} MAINTENANCE");
        println!("  rm {disablefile}");
    }
    let stock = stock_file();
    let (stock, code) = (stock.display(), config.failure_code().as_u16());
    println!("\n  rm {stock}");
    println!("  curl -i '{url}?checks=all'        # {code} ERROR, and the log says why");
    println!("  curl -i {url}                     # 200 OK: nobody asked for the checks");
    println!("  touch {stock}\n");
}
