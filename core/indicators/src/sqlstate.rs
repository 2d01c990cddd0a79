//! The codes of SQL servers.

use crate::reason;

/// The reason of a SQLSTATE, as PostgreSQL documents them in its appendix A.
pub(crate) fn of_sqlstate(code: &str) -> Option<&'static str> {
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
        "08P01" => reason::PROTOCOL,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::of_sqlstate;

    #[test]
    fn a_code_that_is_not_known_has_no_reason() {
        assert_eq!(of_sqlstate("28P01"), Some("unauthorized"));
        for code in ["", "2", "28p01", "42601", "28P011"] {
            assert_eq!(of_sqlstate(code), None, "{code}");
        }
    }
}
