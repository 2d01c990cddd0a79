//! The indicators, each with the server that it tests.

mod files;
mod redis;
mod sqlx;
mod tcp;
mod web;

use crate::case::Case::{self, *};
use crate::manager::Manager;
use crate::row::Row;
use crate::scene::{Actions, Scene};
use crate::{Server, Setup};

/// What applies to every indicator of a server that is reached by TCP.
pub(crate) const OF_NETWORK: [Case; 10] =
    [Up, Refused, Silent, HalfOpen, Reset, Cut, Frozen, Restarted, Gone, Slow];
/// What applies if it also needs a password.
pub(crate) const OF_LOGIN: [Case; 2] = [WrongPassword, PasswordChanged];

/// What applies to the pool of an application.
pub(crate) const OF_POOL: [Case; 2] = [PoolBusy, PoolStuck];

const READ_ONLY: Actions = (&["read_only", "on"], &["read_only", "off"]);
const FULL: Actions = (&["no_writes", "on"], &["no_writes", "off"]);
const REMOVED: Actions = (&["gone", "on"], &["gone", "off"]);

/// Each server that runs, with its indicators.
pub(crate) fn scenes(setup: &Setup, manager: &Manager) -> Vec<Scene> {
    let scene = |server: &'static str, rows: Vec<Row>| {
        let is_wanted = setup.only.iter().any(|only| only == server);
        let Server { port, directory } = setup.servers.get(server).filter(|_| is_wanted)?.clone();
        let has_names = setup.servers.contains_key("names");
        let (no_writes, gone) = (None, None);
        let manager = manager.clone();
        Some(Scene { server, port, directory, manager, no_writes, gone, has_names, rows })
    };
    let read_only = |scene| Scene { no_writes: Some(READ_ONLY), ..scene };
    let of_files = |scene| Scene { no_writes: Some(FULL), gone: Some(REMOVED), ..scene };
    let scenes = [
        scene("files", files::rows()).map(of_files),
        scene("mariadb", sqlx::mariadb()).map(read_only),
        scene("memcached", tcp::memcached()),
        scene("mosquitto", tcp::mosquitto()),
        scene("pgbouncer", sqlx::pgbouncer()),
        scene("postgres", sqlx::postgres()).map(read_only),
        scene("redis", redis::rows()).map(read_only),
        scene("web", web::rows()),
    ];
    scenes.into_iter().flatten().collect()
}
