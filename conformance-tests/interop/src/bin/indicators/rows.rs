//! The indicators, each with the server that it tests.

mod files;
mod postgres;
mod process;
mod queues;
pub(crate) mod redis;
mod s3;
pub(crate) mod sqlx;
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

/// What applies to one connection to a database.
fn of_connection() -> Vec<Case> {
    [&OF_NETWORK[..], &OF_LOGIN, &[NoWrites]].concat()
}

/// What applies to the pool of an application.
fn of_pool() -> Vec<Case> {
    [&of_connection()[..], &OF_POOL].concat()
}

/// Each server that runs, with its indicators.
pub(crate) fn scenes(setup: &Setup, manager: &Manager) -> Vec<Scene> {
    let scene = |server: &'static str, actions: &'static [(Case, Actions)], rows: Vec<Row>| {
        let is_wanted = setup.only.iter().any(|only| only == server);
        let Server { port, directory, key } =
            setup.servers.get(server).filter(|_| is_wanted)?.clone();
        let has_names = setup.servers.contains_key("names");
        let manager = manager.clone();
        Some(Scene { server, port, directory, key, manager, actions, has_names, rows })
    };
    let of_postgres = sqlx::postgres().into_iter().chain(postgres::rows()).collect();
    let scenes = [
        scene("files", FILES, files::rows()),
        scene("kafka", KAFKA, queues::kafka()),
        scene("mariadb", READ_ONLY, sqlx::mariadb()),
        scene("memcached", &[], tcp::memcached()),
        scene("mosquitto", &[], tcp::mosquitto()),
        scene("nats", &[], queues::nats()),
        scene("pgbouncer", &[], sqlx::pgbouncer()),
        scene("postgres", READ_ONLY, of_postgres),
        scene("process", &[], process::rows()),
        scene("rabbitmq", RABBITMQ, queues::rabbitmq()),
        scene("redis", READ_ONLY, redis::rows()),
        scene("s3", &[], s3::rows()),
        scene("grpc", &[], web::grpc_rows()),
        scene("tls", &[], web::tls_rows()),
        scene("web", &[], web::http_rows()),
        scene("names", &[], web::names()),
    ];
    scenes.into_iter().flatten().collect()
}

const READ_ONLY: &[(Case, Actions)] = &[(NoWrites, (&["read_only", "on"], &["read_only", "off"]))];
const RABBITMQ: &[(Case, Actions)] = &[(NoWrites, (&["blocked", "on"], &["blocked", "off"]))];
const FILES: &[(Case, Actions)] = &[
    (NoWrites, (&["no_writes", "on"], &["no_writes", "off"])),
    (Gone, (&["gone", "on"], &["gone", "off"])),
];
const KAFKA: &[(Case, Actions)] = &[(Restarted, (&["tell", "restart"], &[]))];
