//! What belongs to the host itself.

use std::sync::Arc;
use std::time::Duration;

use health_indicators::{Indicator as _, certificate_file, disk, file_age, object_store_0_14};
use object_store::local::LocalFileSystem;

use super::sqlx;
use crate::case::Case::{Gone, NoWrites, Up};
use crate::row::{Made, Row};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn rows() -> Vec<Row> {
    let rows = [
        Row::new("`file_age`", &[Up, Gone], |target| {
            file_age(target.directory.join("file")).failing_above(DAY).check("export")
        }),
        Row::new("`certificate_file`", &[Up, Gone], |target| {
            certificate_file(target.directory.join("certificate.pem")).check("certificate")
        }),
        Row::new("`disk`", &[Up, NoWrites, Gone], |target| {
            disk(target.directory.join("data")).failing_below(0.1).check("data")
        }),
        Row::new("`disk`, remounted", &[Up, NoWrites], |target| {
            disk(target.directory.join("remounted")).failing_below(0.1).check("data")
        }),
        Row::of("`object_store_0_14::object`, files", &[Up, NoWrites, Gone], |target| {
            let store = Arc::new(LocalFileSystem::new_with_prefix(&target.directory)?);
            let object = object_store_0_14::object(store, "file").timeout(target.timeout);
            Ok(Made::new(object.check("objects")))
        }),
        sqlx::sqlite(),
    ];
    rows.into_iter().map(Row::without_connections).collect()
}
