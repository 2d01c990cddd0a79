//! Watches a key in Redis, in its own time, and turns the switch: no request ever waits for Redis.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use health_axum::{MaintenanceSwitch, StartupLatch};
use redis::{Client, Connection, RedisResult, TypedCommands as _};

/// How often the key is read. The fleet follows it within this time.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long Redis may take to connect, and to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Ends the watch when it is dropped.
pub(crate) struct Watcher {
    _stop: Sender<()>,
}

/// The fleet is in maintenance while `key` exists: `SET key 1`, and `DEL key` to end it.
///
/// While Redis does not respond, the last known state applies, and one warning is logged. `known` is released after the first
/// response of Redis, so the host gets no traffic before its state is known.
pub(crate) fn watch(
    client: Client,
    key: &'static str,
    switch: MaintenanceSwitch,
    known: StartupLatch,
) -> Watcher {
    let (stop, stopped) = mpsc::channel();
    thread::spawn(move || {
        let mut known = Some(known);
        let mut connection = None;
        let mut is_lost = false;
        loop {
            match ask(&client, &mut connection, key) {
                Ok(is_on) => {
                    if is_on {
                        switch.turn_on();
                    } else {
                        switch.turn_off();
                    }
                    if let Some(known) = known.take() {
                        known.release();
                    }
                    if std::mem::take(&mut is_lost) {
                        tracing::info!("Redis is back, and says: maintenance {is_on}");
                    }
                }
                Err(error) => {
                    connection = None;
                    if !std::mem::replace(&mut is_lost, true) {
                        tracing::warn!(
                            "cannot ask Redis for the fleet's maintenance ({error}): the last state stands"
                        );
                    }
                }
            }
            if stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    });
    Watcher { _stop: stop }
}

fn ask(client: &Client, kept: &mut Option<Connection>, key: &str) -> RedisResult<bool> {
    let connection = match kept {
        Some(connection) => connection,
        None => {
            let connection = client.get_connection_with_timeout(PATIENCE)?;
            connection.set_read_timeout(Some(PATIENCE))?;
            connection.set_write_timeout(Some(PATIENCE))?;
            kept.insert(connection)
        }
    };
    connection.exists(key)
}
