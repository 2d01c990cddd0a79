//! Whether a database accepts writes.

use ::sqlx_0_9::{Database, Error, Executor, raw_sql};
use health_core::CheckResult;

use crate::failure::misconfigured;
use crate::reason;

/// A query that returns a row if the database of this name accepts writes.
fn query_for(database: &str) -> Option<&'static str> {
    match database {
        // Of a standby, too, this setting is on.
        "PostgreSQL" => Some("SELECT 1 WHERE current_setting('transaction_read_only') = 'off'"),
        // A number or a word, depending on the version. The number 0 equals both texts, and 1 neither.
        "MySQL" => Some("SELECT 1 FROM DUAL WHERE @@GLOBAL.read_only IN ('0', 'OFF')"),
        _ => None,
    }
}

pub(super) async fn test_writable<DB: Database>(
    connection: &mut DB::Connection,
) -> Result<CheckResult, Error>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let Some(query) = query_for(DB::NAME) else {
        let text = format_args!("{} does not tell whether it accepts writes", DB::NAME);
        return Ok(misconfigured(text));
    };
    Ok(match raw_sql(query).fetch_optional(connection).await? {
        Some(_) => CheckResult::ok(),
        None => CheckResult::error("the database accepts no writes").reason(reason::READ_ONLY),
    })
}
