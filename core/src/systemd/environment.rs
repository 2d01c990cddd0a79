//! What systemd has put into the environment.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use super::SystemdError;
use crate::text::cut;

/// What systemd wants to be told, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    /// The value of `NOTIFY_SOCKET`.
    pub(super) address: OsString,
    /// The longest time between two pings; `None` without a watchdog for this process.
    pub(crate) ping_period: Option<Duration>,
}

impl Environment {
    /// The environment of this process, whose id is `process`. `None` without a `NOTIFY_SOCKET`.
    pub(crate) fn read(process: u32) -> Result<Option<Self>, SystemdError> {
        Self::of(|name| std::env::var_os(name), process)
    }

    fn of(
        variable: impl Fn(&str) -> Option<OsString>,
        process: u32,
    ) -> Result<Option<Self>, SystemdError> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let Some(address) = variable("NOTIFY_SOCKET") else {
            return Ok(None);
        };
        let number = |name| variable(name).map(|value| number(name, &value)).transpose();
        let watched = number("WATCHDOG_PID")?;
        let timeout = number("WATCHDOG_USEC")?;
        let is_watched = watched.is_none_or(|watched| watched == u64::from(process));
        let ping_period = timeout.filter(|_| is_watched).map(|timeout| {
            // A shorter one would keep a thread busy.
            (Duration::from_micros(timeout) / 2).max(Duration::from_millis(1))
        });
        Ok(Some(Self { address, ping_period }))
    }
}

fn number(name: &'static str, value: &OsStr) -> Result<u64, SystemdError> {
    let number = value.to_str().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
    number.ok_or_else(|| SystemdError::Number { name, value: cut(value.to_string_lossy()) })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Environment;

    const PROCESS: u32 = 71;

    /// The address and the period of pings.
    fn read(variables: &[(&str, &str)]) -> Result<Option<(String, Option<Duration>)>, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.into())
        };
        let read = Environment::of(variable, PROCESS).map_err(|error| error.to_string())?;
        Ok(read.map(|read| (read.address.into_string().unwrap(), read.ping_period)))
    }

    #[test]
    fn without_a_socket_nothing_counts() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("NOTIFY_SOCKET", "")]), Ok(None));
        assert_eq!(read(&[("WATCHDOG_USEC", "no number")]), Ok(None));
    }

    #[test]
    fn a_ping_is_due_after_half_of_the_timeout_if_the_watchdog_is_for_this_process() {
        let with = |variables: &[(&'static str, &'static str)]| {
            let socket = ("NOTIFY_SOCKET", "/run/notify");
            let (address, period) = read(&[&[socket], variables].concat()).unwrap().unwrap();
            assert_eq!(address, "/run/notify");
            period
        };
        let second = Some(Duration::from_secs(1));
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[("WATCHDOG_PID", "71")]), None);
        assert_eq!(with(&[("WATCHDOG_USEC", "2000000")]), second);
        assert_eq!(with(&[("WATCHDOG_USEC", "2000000"), ("WATCHDOG_PID", "71")]), second);
        assert_eq!(with(&[("WATCHDOG_USEC", "2000000"), ("WATCHDOG_PID", "72")]), None);
        assert_eq!(with(&[("WATCHDOG_USEC", "1")]), Some(Duration::from_millis(1)));
        let longest = u64::MAX.to_string().leak();
        assert!(with(&[("WATCHDOG_USEC", longest)]) > second);
    }

    #[test]
    fn what_is_no_number_above_zero_is_refused_by_name() {
        for name in ["WATCHDOG_USEC", "WATCHDOG_PID"] {
            for value in ["0", "-1", "2s", " 2", "18446744073709551616"] {
                let refused = read(&[("NOTIFY_SOCKET", "@notify"), (name, value)]);
                let sentence = format!("{name} is {value:?}: it must be a whole number above zero");
                assert_eq!(refused, Err(sentence));
            }
        }
    }
}
