//! `rollcall migrate`.

use clap::Args;

use super::{failure::Failure, open, output, settings::Settings};
use crate::app;

/// Bring the database's structure up to date
///
/// Changes are only ever made forward: take a backup before a new version's first start.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Only tell how many changes are missing; ends with 2 where there are any
    #[arg(long)]
    status: bool,
}

impl Migrate {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let config = open::load(settings)?;
        if self.status {
            open::require_database(&config)?;
            return match app::count_pending_migrations(&config).await? {
                0 => output::print("The database is up to date.\n"),
                missing => {
                    Err(Failure::look(format!("the database lacks {}: run `rollcall migrate`", changes(missing))))
                }
            };
        }
        match app::migrate(&config).await? {
            0 => output::print("The database was up to date.\n"),
            made => output::print(&format!("The database is up to date: {} made.\n", changes(made))),
        }
    }
}

fn changes(count: usize) -> String {
    if count == 1 { "1 change".to_owned() } else { format!("{count} changes") }
}
