//! Commands for a running server under test.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A command of the testee protocol: a line on standard input. The testee prints `DONE` after it took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Command {
    /// `DRAIN`: the server drains from now on (H20).
    Drain,
    /// `FINISH`: the requests of the application that wait are completed (H26).
    Finish,
    /// `SWITCH on`: the maintenance switch is turned on (H19).
    SwitchOn,
    /// `SWITCH off`: the maintenance switch is turned off.
    SwitchOff,
    /// `RELEASE name`: a start-up latch is released (H18).
    Release(String),
    /// `DROP name`: a start-up latch is dropped before its release.
    Drop(String),
    /// `PEERS name reaching of`: from now on, so many of so many peers reach the dependency of a shared check (H24).
    Peers(String, u32, u32),
    /// `PEERS name none`: no peer has an opinion on the check.
    PeersNone(String),
    /// `PEERS fail message`: the exchange with the peers fails with an error until the next of these commands.
    PeersFail(String),
    /// `TOKENS path token…`: from now on, these are the bearer tokens of an endpoint that has some (H30).
    Tokens(String, Vec<String>),
    /// `FAIL name message`: a start-up latch is failed with an error. Its name contains no space.
    Fail(String, String),
}

impl TryFrom<String> for Command {
    type Error = String;

    fn try_from(line: String) -> Result<Self, String> {
        match line.split_once(' ') {
            None if line == "DRAIN" => Ok(Self::Drain),
            None if line == "FINISH" => Ok(Self::Finish),
            Some(("SWITCH", "on")) => Ok(Self::SwitchOn),
            Some(("SWITCH", "off")) => Ok(Self::SwitchOff),
            Some(("RELEASE", name)) => Ok(Self::Release(name.to_owned())),
            Some(("DROP", name)) => Ok(Self::Drop(name.to_owned())),
            Some(("FAIL", rest)) if rest.contains(' ') => {
                let (name, message) = rest.split_once(' ').unwrap_or_default();
                Ok(Self::Fail(name.to_owned(), message.to_owned()))
            }
            Some(("TOKENS", rest)) if rest.contains(' ') => {
                let (path, tokens) = rest.split_once(' ').unwrap_or_default();
                Ok(Self::Tokens(path.to_owned(), tokens.split(' ').map(str::to_owned).collect()))
            }
            Some(("PEERS", rest)) if peers(rest).is_some() => peers(rest).ok_or(line),
            _ => Err(format!(
                "command {line:?} is not one of DRAIN, FINISH, SWITCH on, SWITCH off, RELEASE name, DROP name, FAIL name \
                 message, PEERS name reaching of, PEERS name none, PEERS fail message, TOKENS path token"
            )),
        }
    }
}

/// What peers say about a check, whose name may contain spaces.
fn peers(text: &str) -> Option<Command> {
    if let Some(message) = text.strip_prefix("fail ") {
        return Some(Command::PeersFail(message.to_owned()));
    }
    let (rest, last) = text.rsplit_once(' ')?;
    if last == "none" {
        return Some(Command::PeersNone(rest.to_owned()));
    }
    let (name, reaching) = rest.rsplit_once(' ')?;
    Some(Command::Peers(name.to_owned(), reaching.parse().ok()?, last.parse().ok()?))
}

impl From<Command> for String {
    fn from(command: Command) -> Self {
        command.to_string()
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drain => f.write_str("DRAIN"),
            Self::Finish => f.write_str("FINISH"),
            Self::SwitchOn => f.write_str("SWITCH on"),
            Self::SwitchOff => f.write_str("SWITCH off"),
            Self::Release(name) => write!(f, "RELEASE {name}"),
            Self::Drop(name) => write!(f, "DROP {name}"),
            Self::Fail(name, message) => write!(f, "FAIL {name} {message}"),
            Self::Tokens(path, tokens) => write!(f, "TOKENS {path} {}", tokens.join(" ")),
            Self::Peers(name, reaching, of) => write!(f, "PEERS {name} {reaching} {of}"),
            Self::PeersNone(name) => write!(f, "PEERS {name} none"),
            Self::PeersFail(message) => write!(f, "PEERS fail {message}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Command;

    #[test]
    fn commands_read_back_and_anything_else_is_refused() {
        for line in [
            "DRAIN",
            "FINISH",
            "SWITCH on",
            "SWITCH off",
            "RELEASE two words",
            "DROP a",
            "FAIL a no route: 1",
            "TOKENS /ready first",
            "TOKENS /ready first second",
            "PEERS a 8 9",
            "PEERS two words 0 0",
            "PEERS two words none",
            "PEERS fail no route: 1",
        ] {
            let command = Command::try_from(line.to_owned()).unwrap();
            assert_eq!(command.to_string(), line);
        }
        for line in [
            "",
            "drain",
            "DRAIN now",
            "SWITCH",
            "SWITCH up",
            "RELEASE",
            "FAIL",
            "FAIL a",
            "TOKENS",
            "TOKENS /ready",
            "PEERS",
            "PEERS fail",
            "PEERS a",
            "PEERS a 1",
            "PEERS a -1 2",
            "PEERS 1 2",
        ] {
            assert!(Command::try_from(line.to_owned()).is_err(), "{line}");
        }
    }
}
