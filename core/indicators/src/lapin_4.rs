//! RabbitMQ, by `lapin` 4.
//!
//! ```
//! use health_core::Health;
//! use health_indicators::{Indicator as _, lapin_4};
//!
//! let health = Health::builder()
//!     .register(lapin_4::publisher("amqp://shop:secret@queue.example").check("queue"))
//!     .build()?;
//! # Ok::<(), health_core::BuildError>(())
//! ```
//!
//! The program chooses the features of `lapin`, such as those for TLS. It must run on tokio.
//!
//! `lapin` runs each connection on a thread, which waits for the server even if the connection is not used any more. Here, the
//! thread ends with the test.

use std::pin::pin;

use ::lapin_4::options::{BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions};
use ::lapin_4::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use ::lapin_4::{BasicProperties, Confirmation, Error, ErrorKind, Event};
use futures::future::{BoxFuture, Either, select};
use futures::{FutureExt as _, StreamExt as _};
use health_core::CheckResult;

use self::opened::{Misconfigured, open};
use crate::{Kept, kept, reason};

mod opened;

pub use self::opened::Opened;

/// Asks the server something by its own connection, which is [kept](crate::kept()), with one channel.
///
/// For a service that only consumes. For one that publishes, see [`publisher`].
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one, with one channel and one thread; two while a broken or silent one is replaced |
/// | reasons | those of [`kept`]; `unauthorized`, `missing` (the virtual host), `saturated` (the limit of the user or virtual host), `name`, `tls`, `protocol`, `misconfigured` |
/// | values | `connects`: how many connections were opened so far |
/// | permissions | access to the virtual host |
/// | costs the server | a `basic.qos` on a channel without consumers |
/// | does not prove | that a queue exists, that messages arrive, or that the server accepts any: it does not tell a connection that never publishes of its alarms |
pub fn connection(uri: impl Into<String>) -> Kept<Opened> {
    let uri = uri.into();
    kept(
        move || {
            let uri = uri.clone();
            async move { open(&uri).await }
        },
        |opened: &mut Opened| Box::pin(ask(opened)),
    )
    .classify(classify)
}

/// Publishes a message that reaches no queue, by its own connection, which is [kept](crate::kept()).
///
/// A server that is low on memory or disk accepts connections, but reads nothing more from one that publishes: such an alarm
/// is an error with the reason `blocked`. The connection stays open meanwhile.
///
/// The message is empty, goes to the default exchange with the name of a queue that does not exist, and expires at once. The
/// server confirms it, and drops it.
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one, with one channel and one thread; two while a broken or silent one is replaced |
/// | reasons | those of [`connection`], and `blocked` |
/// | values | `connects`: how many connections were opened so far |
/// | permissions | access to the virtual host, and to write to `amq.default` |
/// | costs the server | a message; it is counted as one that could not be routed |
/// | does not prove | that a queue exists, or accepts or delivers messages |
pub fn publisher(uri: impl Into<String>) -> Kept<Opened> {
    let uri = uri.into();
    kept(
        move || {
            let uri = uri.clone();
            async move {
                let opened = open(&uri).await?;
                opened.channel().confirm_select(ConfirmSelectOptions::default()).await?;
                Ok::<_, crate::failure::BoxError>(opened)
            }
        },
        |opened: &mut Opened| -> BoxFuture<'_, _> { Box::pin(publish(opened)) },
    )
    .classify(classify)
}

async fn ask(opened: &Opened) -> Result<(), Error> {
    opened.channel().basic_qos(1, BasicQosOptions::default()).await
}

/// A queue that does not exist.
const NOWHERE: &str = "health-indicators.nowhere";

async fn publish(opened: &Opened) -> Result<CheckResult, Error> {
    let mut events = pin!(opened.connection().events_listener());
    // An alarm of an earlier test, which may be over.
    while events.next().now_or_never().flatten().is_some() {}
    // lapin never unblocks a connection that is lost during an alarm.
    let status = opened.connection().status();
    if status.connected() && status.blocked() {
        return Ok(blocked("an alarm is still on"));
    }
    let published = async {
        let expires = BasicProperties::default().with_expiration("0".into());
        let options = BasicPublishOptions::default();
        let channel = opened.channel();
        let publishing = channel.basic_publish("".into(), NOWHERE.into(), options, b"", expires);
        let confirmation = publishing.await?.await?;
        // A new alarm takes effect after a message: the server confirms that one, and responds to nothing more.
        channel.basic_qos(1, BasicQosOptions::default()).await?;
        Ok::<_, Error>(confirmation)
    };
    let alarm = async {
        while let Some(event) = events.next().await {
            if let Event::ConnectionBlocked(why) = event {
                return why;
            }
        }
        std::future::pending().await
    };
    Ok(match select(pin!(published), pin!(alarm)).await {
        Either::Left((Ok(Confirmation::Nack(_)), _)) => {
            CheckResult::error("the server rejected a message").reason(reason::FAILED)
        }
        Either::Left((confirmed, _)) => confirmed.map(|_| CheckResult::ok())?,
        Either::Right((why, _)) => blocked(&why),
    })
}

fn blocked(why: &str) -> CheckResult {
    CheckResult::error(format!("the server accepts no messages: {why}")).reason(reason::BLOCKED)
}

fn classify(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    if error.is::<Misconfigured>() {
        return Some(reason::MISCONFIGURED);
    }
    let error = error.downcast_ref::<Error>()?;
    Some(match error.kind() {
        ErrorKind::ParsingError(_) | ErrorKind::InvalidProtocolVersion(_) => reason::PROTOCOL,
        ErrorKind::ProtocolError(error) => match error.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => reason::UNAUTHORIZED,
            // The virtual host: it is missing, has no place left, or is not for this user.
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
                let text = error.get_message().as_str();
                match () {
                    () if text.contains("limit") => reason::SATURATED,
                    () if text.contains("not found") => reason::MISSING,
                    () => reason::UNAUTHORIZED,
                }
            }
            AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED) => reason::CLOSED,
            _ => return None,
        },
        ErrorKind::InvalidChannelState(..)
        | ErrorKind::InvalidConnectionState(_)
        | ErrorKind::MissingHeartbeatError => reason::CLOSED,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
