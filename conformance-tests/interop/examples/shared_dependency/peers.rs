//! The instances meet in a directory: each writes a file, and reads those of the others.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use health_axum::{OwnView, PeerView, Peers, async_trait};

/// A file that was not written for so long belongs to an instance that has ended.
const EXPIRY: Duration = Duration::from_secs(3);

const REACHED: &str = "reached";
const NOT_REACHED: &str = "not reached";

/// A directory with one file per instance.
pub(crate) struct Meeting {
    pub(crate) directory: PathBuf,
    /// The name of the file of this instance.
    pub(crate) own: OsString,
}

#[async_trait]
impl Peers for Meeting {
    async fn exchange(
        &self,
        own: &[OwnView],
    ) -> Result<Vec<PeerView>, Box<dyn Error + Send + Sync>> {
        let Some(view) = own.first() else {
            return Ok(Vec::new());
        };
        self.write(if view.is_reached { REACHED } else { NOT_REACHED })?;
        let others = self.others()?;
        let reaching = others.iter().filter(|text| *text == REACHED).count();
        Ok(vec![PeerView::new(
            &*view.check,
            u32::try_from(reaching)?,
            u32::try_from(others.len())?,
        )])
    }
}

impl Meeting {
    /// Replaces the file of this instance. No other one reads half of it.
    fn write(&self, text: &str) -> io::Result<()> {
        let mut partial = OsString::from(".");
        partial.push(&self.own);
        let partial = self.directory.join(partial);
        fs::write(&partial, text)?;
        fs::rename(partial, self.directory.join(&self.own))
    }

    /// Reads the files of the other instances.
    fn others(&self) -> io::Result<Vec<String>> {
        let mut texts = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == self.own || name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let age = SystemTime::now().duration_since(entry.metadata()?.modified()?);
            if age.is_ok_and(|age| age < EXPIRY) {
                texts.push(fs::read_to_string(entry.path())?);
            }
        }
        Ok(texts)
    }
}
