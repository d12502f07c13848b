//! `rollcall restore`.

use std::path::PathBuf;

use clap::Args;

use super::{failure::Failure, open, output, settings::Settings};
use crate::app::{self, RestoreReport};

/// Bring a backup back as the SQLite database; no server may run
///
/// The event logs begin a new epoch: cursors that clients hold are refused, and they read afresh. The keys of the installation
/// must be in their place before.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The file that `rollcall backup` wrote
    #[arg(value_name = "FILE", required_unless_present = "new_epoch", conflicts_with = "new_epoch")]
    from: Option<PathBuf>,
    /// Put the database that is there aside, and replace it
    #[arg(long)]
    force: bool,
    /// Only begin a new epoch: after pg_restore, or after another program brought the database back
    #[arg(long)]
    new_epoch: bool,
}

impl Restore {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let config = open::load(settings)?;
        let Some(from) = self.from else {
            open::require_database(&config)?;
            let accounts = app::begin_new_epochs(&config).await?;
            return output::print(&format!("The event logs of {accounts} accounts have a new epoch.\n"));
        };
        let RestoreReport { accounts, pending, replaced } = app::restore(&config, &from, self.force).await?;
        let mut text = format!(
            "{} was restored; the event logs of {accounts} accounts have a new epoch.\nLinks of messages that went out after \
             the backup lead nowhere. Whoever was erased after it is back: erase them again.\n",
            from.display()
        );
        if pending > 0 {
            text.push_str(&format!(
                "It is of an older version: {pending} changes of its structure are made at the next start.\n"
            ));
        }
        if let Some(replaced) = replaced {
            text.push_str(&format!(
                "The database that was there is kept as {}; remove it when you are sure.\n",
                replaced.display()
            ));
        }
        output::print(&text)
    }
}
