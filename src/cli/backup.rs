//! `rollcall backup`.

use std::path::PathBuf;

use clap::Args;

use super::{failure::Failure, open, output, settings::Settings};
use crate::app::{self, BackupReport};

/// Copy the SQLite database into a new file, while a server runs
///
/// The copy is whole and checked. It holds contact data in clear, and opens with the keys of this installation only: keep those
/// too, and apart from it. PostgreSQL is backed up with pg_dump.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write; one that is there is not replaced
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let config = open::load(settings)?;
        open::require_database(&config)?;
        let BackupReport { bytes, sealing_keys } = app::back_up(&config, &self.to).await?;
        output::print(&format!(
            "The database was copied to {} ({bytes} bytes).\nIt opens with this installation's index key and the sealing key {} \
             only. Keep them, apart from it: who has both has everything.\n",
            self.to.display(),
            sealing_keys.join(" or "),
        ))
    }
}
