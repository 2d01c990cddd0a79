//! The codes of SQL servers.

use crate::reason;

/// The reason of a SQLSTATE, as PostgreSQL documents them in its appendix A, and the message that came with it.
pub(crate) fn of_sqlstate(code: &str, message: &str) -> Option<&'static str> {
    Some(match code {
        // Invalid password, invalid authorization, insufficient privilege.
        "28P01" | "28000" | "42501" => reason::UNAUTHORIZED,
        // Too many connections.
        "53300" => reason::SATURATED,
        // Disk full.
        "53100" => reason::FULL,
        // Cannot connect now: it starts, recovers or shuts down.
        "57P03" => reason::STARTING,
        // Shut down by the administrator, after a crash, idle for too long; the connection does not exist, or failed.
        "57P01" | "57P02" | "57P05" | "08003" | "08006" => reason::CLOSED,
        // Cancelled, as by `statement_timeout`.
        "57014" => reason::TIMED_OUT,
        // No such database, schema or table.
        "3D000" | "3F000" | "42P01" => reason::MISSING,
        // A transaction that only reads.
        "25006" => reason::READ_ONLY,
        // Protocol violation.
        "08P01" => of_pgbouncer(message).unwrap_or(reason::PROTOCOL),
        _ => return None,
    })
}

/// The reason of a message of pgbouncer, most of which have the code of a protocol violation.
fn of_pgbouncer(message: &str) -> Option<&'static str> {
    let starts_with = |start| message.starts_with(start);
    if message.ends_with("authentication failed") || starts_with("no such user") {
        Some(reason::UNAUTHORIZED)
    } else if starts_with("no such database") {
        Some(reason::MISSING)
    } else if starts_with("no more connections allowed") || message == "query_wait_timeout" {
        Some(reason::SATURATED)
    } else if ["server conn", "server login"].into_iter().any(starts_with) {
        Some(reason::CLOSED)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::of_sqlstate;

    #[test]
    fn a_code_that_is_not_known_has_no_reason() {
        assert_eq!(of_sqlstate("28P01", ""), Some("unauthorized"));
        for code in ["", "2", "28p01", "42601", "28P011"] {
            assert_eq!(of_sqlstate(code, "SASL authentication failed"), None, "{code}");
        }
    }

    #[test]
    fn messages_of_pgbouncer_have_reasons() {
        for (message, reason) in [
            ("SASL authentication failed", "unauthorized"),
            ("no such user: shop", "unauthorized"),
            ("no such database: shop", "missing"),
            ("no more connections allowed (max_client_conn)", "saturated"),
            ("query_wait_timeout", "saturated"),
            ("server conn crashed?", "closed"),
            ("server login failed: FATAL password authentication failed for user", "closed"),
            ("invalid frontend message type 112", "protocol"),
            ("", "protocol"),
        ] {
            assert_eq!(of_sqlstate("08P01", message), Some(reason), "{message}");
        }
    }
}
