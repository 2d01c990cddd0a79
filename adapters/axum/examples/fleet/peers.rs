//! The hosts of the fleet meet in Redis, and tell each other which shared dependencies they reach.
//!
//! Each host has a key that expires, and is a member of a set. An exchange writes the key of this host and reads those of
//! a random sample of the members, so that its cost does not grow with the fleet. Requests cause no exchange.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use health_axum::{OwnView, PeerView, Peers, async_trait};
use redis::aio::MultiplexedConnection;
use redis::{Client, Pipeline, RedisResult};

/// The most hosts that an exchange reads.
const SAMPLE: usize = 100;

/// The meeting of a host with its fleet.
pub(crate) struct Meeting {
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
    /// The set of the hosts, which outlives them.
    hosts: String,
    /// The name of this host: no other one has it.
    host: String,
    expiry: Duration,
}

impl Meeting {
    /// What the host publishes counts for `expiry`: three periods of the exchange.
    pub(crate) fn new(client: Client, fleet: &str, host: &str, expiry: Duration) -> Self {
        Self {
            client,
            connection: Mutex::default(),
            hosts: format!("{fleet}:hosts"),
            host: host.to_owned(),
            expiry,
        }
    }

    /// Adds another host to the fleet, with these views.
    pub(crate) async fn join(&self, host: &str, views: &[OwnView]) -> RedisResult<()> {
        let mut connection = self.connection().await?;
        self.written_by(host, views).query_async::<()>(&mut connection).await?;
        *self.kept() = Some(connection);
        Ok(())
    }

    /// The commands with which a host publishes its views.
    fn written_by(&self, host: &str, views: &[OwnView]) -> Pipeline {
        let expiry = u64::try_from(self.expiry.as_millis()).unwrap_or(u64::MAX);
        let mut commands = Pipeline::new();
        commands
            .pset_ex(self.key(host), written(views), expiry)
            .ignore()
            .sadd(&self.hosts, host)
            .ignore()
            // If all hosts stop, nothing is left in Redis.
            .pexpire(&self.hosts, i64::try_from(expiry).unwrap_or(i64::MAX))
            .ignore();
        commands
    }

    fn key(&self, host: &str) -> String {
        format!("{}:{host}", self.hosts)
    }

    /// The last connection, or a new one after an error. Redis has 500 ms for each response, and 1 s to connect.
    async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        let kept = self.kept().take();
        match kept {
            Some(connection) => Ok(connection),
            None => self.client.get_multiplexed_async_connection().await,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the key of this host, and returns the names of other hosts.
    async fn publish(
        &self,
        connection: &mut MultiplexedConnection,
        own: &[OwnView],
    ) -> RedisResult<Vec<String>> {
        let (mut others,): (Vec<String>,) = self
            .written_by(&self.host, own)
            .srandmember_multiple(&self.hosts, SAMPLE as isize + 1)
            .query_async(connection)
            .await?;
        others.retain(|host| *host != self.host);
        others.truncate(SAMPLE);
        Ok(others)
    }

    /// Reads the keys of `others`. A host without one has stopped, or cannot reach Redis, and leaves the set.
    async fn read(
        &self,
        connection: &mut MultiplexedConnection,
        others: Vec<String>,
    ) -> RedisResult<Vec<String>> {
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = others.iter().map(|host| self.key(host)).collect();
        let read: Vec<Option<String>> =
            redis::cmd("MGET").arg(&keys).query_async(connection).await?;
        let (mut present, mut gone) = (Vec::new(), Vec::new());
        for (host, views) in others.into_iter().zip(read) {
            match views {
                Some(views) => present.push(views),
                None => gone.push(host),
            }
        }
        if !gone.is_empty() {
            let _: () =
                redis::cmd("SREM").arg(&self.hosts).arg(gone).query_async(connection).await?;
        }
        Ok(present)
    }
}

#[async_trait]
impl Peers for Meeting {
    async fn exchange(
        &self,
        own: &[OwnView],
    ) -> Result<Vec<PeerView>, Box<dyn Error + Send + Sync>> {
        let mut connection = self.connection().await?;
        let others = self.publish(&mut connection, own).await?;
        let read = self.read(&mut connection, others).await?;
        // A connection is kept only if all went well.
        *self.kept() = Some(connection);
        // A host of another version may have checks that this one has not.
        Ok(counted(&read)
            .into_iter()
            .filter(|view| own.iter().any(|it| *it.check == *view.check))
            .collect())
    }
}

/// A line for each check: `+` if the host reaches its dependency or `-`, and the name.
fn written(own: &[OwnView]) -> String {
    let line = |view: &OwnView| {
        let sign = if view.is_reached { '+' } else { '-' };
        format!("{sign}{}\n", view.check)
    };
    own.iter().map(line).collect()
}

/// The views by check of hosts that have written this.
fn counted(read: &[String]) -> Vec<PeerView> {
    let mut counts = BTreeMap::<&str, (u32, u32)>::new();
    for line in read.iter().flat_map(|views| views.lines()) {
        let (check, is_reached) = match (line.strip_prefix('+'), line.strip_prefix('-')) {
            (Some(check), _) => (check, true),
            (_, Some(check)) => (check, false),
            // Not written by a host of this version.
            _ => continue,
        };
        let (reaching, of) = counts.entry(check).or_default();
        *reaching += u32::from(is_reached);
        *of += 1;
    }
    counts.into_iter().map(|(check, (reaching, of))| PeerView::new(check, reaching, of)).collect()
}

#[cfg(test)]
mod tests {
    use health_axum::{OwnView, PeerView};

    use super::{counted, written};

    #[test]
    fn what_hosts_have_written_is_counted_by_check() {
        let both = |database, queue| {
            written(&[OwnView::new("the database", database), OwnView::new("queue", queue)])
        };
        let read = [
            both(true, true),
            both(true, false),
            written(&[OwnView::new("the database", false)]),
            written(&[]),
            "of another version\n\n".to_owned(),
        ];
        let expected = [PeerView::new("queue", 1, 2), PeerView::new("the database", 2, 3)];
        assert_eq!(counted(&read), expected);
    }
}
