//! The reasons of errors of sqlx.

use std::error::Error as StdError;

use ::sqlx_0_9::Error;
use ::sqlx_0_9::error::DatabaseError;

use crate::reason;
use crate::sqlstate::of_sqlstate;

pub(super) fn reason_of(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    Some(match error.downcast_ref::<Error>()? {
        Error::Database(error) => return of_database(&**error),
        Error::Configuration(_) => reason::MISCONFIGURED,
        Error::Tls(_) => reason::TLS,
        Error::Protocol(_) => reason::PROTOCOL,
        Error::PoolTimedOut => reason::TIMED_OUT,
        Error::PoolClosed | Error::WorkerCrashed => reason::CLOSED,
        _ => return None,
    })
}

fn of_database(error: &dyn DatabaseError) -> Option<&'static str> {
    let code = error.code();
    let code = code.as_deref();
    // The number of MySQL says more than its SQLSTATE.
    mysql_number(code, &error.to_string()).and_then(of_mysql).or_else(|| match code? {
        sqlstate if sqlstate.len() == 5 => of_sqlstate(sqlstate, error.message()),
        number => of_sqlite(number.parse().ok()?),
    })
}

/// The number of an error of MySQL, which only its text contains for those who do not know its type: `1045 (28000): …`, or
/// `1040: …` of a server that has not greeted yet.
fn mysql_number(code: Option<&str>, text: &str) -> Option<u16> {
    let (start, _) = text.split_once(':')?;
    let number = match code {
        Some(code) => start.strip_suffix(')')?.strip_suffix(code)?.strip_suffix(" (")?,
        None => start,
    };
    number.parse().ok()
}

/// The reason of an error number of MySQL and MariaDB.
fn of_mysql(number: u16) -> Option<&'static str> {
    Some(match number {
        // Access denied to the server, a database, a table or an operation; a host that is not allowed; an account without
        // a password, or that is locked.
        1044 | 1045 | 1130 | 1142 | 1227 | 1698 | 3118 | 4151 => reason::UNAUTHORIZED,
        // Too many connections: of all users, of one, or of one in an hour.
        1040 | 1203 | 1226 => reason::SATURATED,
        // No such database or table.
        1049 | 1146 => reason::MISSING,
        // Shuts down, killed the connection, or closed it because it was idle.
        1053 | 1927 | 4031 => reason::CLOSED,
        // Started with `--read-only`, or a transaction that only reads, or InnoDB does.
        1290 | 1792 | 1836 => reason::READ_ONLY,
        // Disk or table full.
        1021 | 1114 => reason::FULL,
        // The time of a statement is over.
        1969 | 3024 => reason::TIMED_OUT,
        _ => return None,
    })
}

/// The reason of a result code of SQLite, the lowest byte of which is the primary code.
fn of_sqlite(code: u32) -> Option<&'static str> {
    Some(match code & 0xff {
        // SQLITE_PERM and SQLITE_AUTH.
        3 | 23 => reason::UNAUTHORIZED,
        // SQLITE_READONLY.
        8 => reason::READ_ONLY,
        // SQLITE_FULL.
        13 => reason::FULL,
        // SQLITE_CANTOPEN.
        14 => reason::MISSING,
        // SQLITE_CORRUPT and SQLITE_NOTADB.
        11 | 26 => reason::PROTOCOL,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error as StdError;
    use std::fmt;
    use std::io;

    use ::sqlx_0_9::Error;
    use ::sqlx_0_9::error::{DatabaseError, ErrorKind};

    use super::reason_of;
    use crate::failure;

    #[derive(Debug)]
    struct Fake(Option<&'static str>, &'static str);

    impl fmt::Display for Fake {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.1)
        }
    }

    impl StdError for Fake {}

    impl DatabaseError for Fake {
        fn message(&self) -> &str {
            self.1
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            self.0.map(Cow::Borrowed)
        }

        fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn errors_of_databases_have_the_reason_of_their_code() {
        for (code, text, reason) in [
            (
                Some("28P01"),
                "password authentication failed for user \"ann\"",
                Some("unauthorized"),
            ),
            (Some("53300"), "sorry, too many clients already", Some("saturated")),
            (Some("57P03"), "the database system is starting up", Some("starting")),
            (Some("28000"), "1045 (28000): Access denied for user 'ann'", Some("unauthorized")),
            (Some("08004"), "1040 (08004): Too many connections", Some("saturated")),
            (None, "1040: Too many connections", Some("saturated")),
            (Some("42000"), "1049 (42000): Unknown database 'shop'", Some("missing")),
            (Some("HY000"), "1290 (HY000): running with --read-only", Some("read_only")),
            (
                Some("25006"),
                "1792 (25006): Cannot execute in a READ ONLY transaction",
                Some("read_only"),
            ),
            (Some("14"), "(code: 14) unable to open database file", Some("missing")),
            (Some("1032"), "(code: 1032) attempt to write a readonly database", Some("read_only")),
            (Some("42601"), "1040 (28000): text of another database", None),
            (None, "", None),
            (None, "99999999: a number that is too large", None),
            (Some(""), " (): nothing", None),
            (Some("-1"), "(code: -1) ä", None),
        ] {
            let error = Error::Database(Box::new(Fake(code, text)));
            assert_eq!(reason_of(&error), reason, "{code:?}: {text}");
        }
    }

    #[test]
    fn errors_of_sqlx_have_a_reason() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        for (error, reason) in [
            (Error::Configuration("bad".into()), "misconfigured"),
            (Error::Tls("bad".into()), "tls"),
            (Error::Protocol("bad".to_owned()), "protocol"),
            (Error::PoolTimedOut, "timed_out"),
            (Error::PoolClosed, "closed"),
            (Error::WorkerCrashed, "closed"),
            (Error::Io(refused()), "refused"),
            (Error::RowNotFound, "failed"),
        ] {
            assert_eq!(failure::reason_of(&error, reason_of), reason, "{error}");
        }
    }
}
