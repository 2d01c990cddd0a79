//! What belongs to the host itself.

use std::time::Duration;

use health_indicators::{disk, file_age};

use crate::case::Case::{Gone, NoWrites, Up};
use crate::row::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("`file_age`", &[Up, Gone], |target| {
            let file = target.directory.join("file");
            file_age(file).failing_above(Duration::from_secs(24 * 60 * 60)).check("export")
        }),
        Row::new("`disk`", &[Up, NoWrites, Gone], |target| {
            disk(target.directory.join("data")).failing_below(0.1).check("data")
        }),
        super::sqlx::sqlite(),
    ]
}
