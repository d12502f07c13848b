//! `rollcall export`.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{account, failure::Failure, open, output, settings::Settings};
use crate::{app::App, domain::id::AccountId};

/// Write the roll as CSV, for bulk edits
///
/// The file holds contact data in clear. `rollcall import` takes it back.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The account [default: the only one of the configuration]
    #[arg(long, value_parser = account::parse)]
    account: Option<AccountId>,
    /// The file to write; an older one is replaced once the new one is whole [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let config = open::load(settings)?;
        let account = account::choose(&config, self.account.as_ref())?;
        let app = open::open(config).await?;
        match self.output {
            None => export(&app, &account, output::write).await,
            Some(file) => export_to(&app, &account, &file).await,
        }
    }
}

async fn export(
    app: &App,
    account: &AccountId,
    mut write: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let actor = app.local_admin(account);
    let mut after = None;
    loop {
        let page = app.services.export_page(&actor, after).await?;
        write(&page.bytes)?;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn export_to(app: &App, account: &AccountId, file: &Path) -> Result<(), Failure> {
    let mut draft = OsString::from(file);
    draft.push(".partial");
    let draft = Path::new(&draft);
    let unwritable = |error: io::Error| Failure::new(format!("{} cannot be written: {error}", file.display()));
    let mut writing = create(draft).map_err(unwritable)?;
    let written = export(app, account, |bytes| writing.write_all(bytes).map_err(unwritable)).await;
    let written = written.and_then(|()| writing.sync_all().and_then(|()| fs::rename(draft, file)).map_err(unwritable));
    if written.is_err() {
        // Half of the roll is of no use; that it may stay changes nothing about the failure.
        let _ = fs::remove_file(draft);
    }
    written
}

/// Makes the file for its owner alone.
fn create(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}
