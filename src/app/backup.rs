//! Copies of the database, and bringing one back.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::{
    App, AppError,
    database::{open_as_it_is, open_at, open_keys, sqlite_url},
    structure,
};
use crate::{
    adapter::{keys::FileKeys, random::SystemChance},
    config::{Config, DatabaseLocation},
    domain::{
        chance::Chance as _,
        clock::{Clock as _, SystemClock},
    },
    port::keys::KeySource as _,
    store::{self, Store},
};

/// A copy that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// Its size in bytes.
    pub bytes: u64,
    /// The ids of the sealing keys that are at hand: one of them opens whatever is sealed in the copy.
    pub sealing_keys: Vec<String>,
}

/// A database that was brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// How many accounts have a new event log.
    pub accounts: usize,
    /// How many changes of its structure it lacks; a server makes them at its start.
    pub pending: usize,
    /// Where the database lies that was there before.
    pub replaced: Option<PathBuf>,
}

/// Copies an SQLite database into a new file, beside a running server.
///
/// # Errors
/// When the database is PostgreSQL, the file is there already or cannot be written, or the copy is not whole.
pub async fn back_up(config: &Config, to: &Path) -> Result<BackupReport, AppError> {
    if let DatabaseLocation::Postgres(_) = &config.database.location {
        return Err(AppError::Other(
            "the database is PostgreSQL: back it up with pg_dump, and bring it back with pg_restore and then \
             `rollcall restore --new-epoch`"
                .to_owned(),
        ));
    }
    if to.exists() {
        return Err(AppError::Other(format!("there is a file {} already", to.display())));
    }
    let keys = open_keys(config, &SystemChance)?;
    let store = open_as_it_is(config).await?;
    let draft = beside(to, ".partial");
    let written = write_copy(&store, &draft, to).await;
    if written.is_err() {
        // Half a copy is of no use; that it may stay changes nothing about the failure.
        let _ = fs::remove_file(&draft);
    }
    let bytes = written?;
    let sealing_keys = keys.sealing_keys().into_iter().map(|key| key.id).collect();
    Ok(BackupReport { bytes, sealing_keys })
}

async fn write_copy(store: &Store, draft: &Path, to: &Path) -> Result<u64, AppError> {
    let unwritable = |error: io::Error| AppError::Other(format!("{} cannot be written: {error}", to.display()));
    let file = create(draft).map_err(unwritable)?;
    store.copy_into(draft).await.map_err(|error| {
        tracing::debug!(%error, "The copy failed");
        AppError::Other(format!("{} cannot be written: the disk may be full", to.display()))
    })?;
    if let Some(damage) = store::find_damage(&sqlite_url(draft)).await {
        return Err(AppError::Other(format!("the copy cannot be used: {damage}")));
    }
    file.sync_all().map_err(unwritable)?;
    // A link never replaces what came there meanwhile, as a new name does.
    fs::hard_link(draft, to).and_then(|()| fs::remove_file(draft)).map_err(unwritable)?;
    sync_folder(to).map_err(unwritable)?;
    Ok(file.metadata().map_err(unwritable)?.len())
}

/// Brings a copy back as the database, with new event logs. What was there is kept beside it, where `replace` lets it be replaced.
///
/// # Errors
/// When the database is PostgreSQL, a server uses the data, there is a database already, or the copy cannot be used: then
/// nothing was changed.
pub async fn restore(config: &Config, from: &Path, replace: bool) -> Result<RestoreReport, AppError> {
    let DatabaseLocation::Sqlite(target) = &config.database.location else {
        return Err(AppError::Other(
            "the database is PostgreSQL: bring it back with pg_restore, and then run `rollcall restore --new-epoch`"
                .to_owned(),
        ));
    };
    let _lock = App::lock_data(&config.database.location)?;
    if target.exists() && !replace {
        return Err(AppError::Other(format!(
            "there is a database {} already: with --force it is put aside and replaced",
            target.display()
        )));
    }
    let log = beside(from, "-wal");
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        return Err(AppError::Other(format!(
            "{} is no backup but a database in use: a part of it is still in {}; make a copy with `rollcall backup`",
            from.display(),
            log.display()
        )));
    }
    let draft = beside(target, ".restoring");
    let prepared = prepare(config, from, &draft).await;
    if prepared.is_err() {
        remove_database(&draft);
    }
    let mut report = prepared?;
    let unwritable = |error: io::Error| AppError::Other(format!("{} cannot be replaced: {error}", target.display()));
    if target.exists() {
        report.replaced = Some(put_aside(config, target).await.map_err(unwritable)?);
    }
    fs::rename(&draft, target).and_then(|()| sync_folder(target)).map_err(unwritable)?;
    Ok(report)
}

/// Makes the copy what the database will be, under another name.
async fn prepare(config: &Config, from: &Path, draft: &Path) -> Result<RestoreReport, AppError> {
    let unreadable = |error: io::Error| AppError::Other(format!("{} cannot be read: {error}", from.display()));
    let unwritable = |error: io::Error| AppError::Other(format!("{} cannot be written: {error}", draft.display()));
    let mut source = File::open(from).map_err(unreadable)?;
    remove_database(draft);
    let mut copy = create(draft).map_err(unwritable)?;
    io::copy(&mut source, &mut copy).and_then(|_| copy.sync_all()).map_err(unwritable)?;
    if let Some(damage) = store::find_damage(&sqlite_url(draft)).await {
        return Err(AppError::Other(format!("{} cannot be restored: {damage}", from.display())));
    }
    // Its own keys, and never new ones.
    FileKeys::expect_kept(&config.data.dir, &config.keys)?;
    let keys = open_keys(config, &SystemChance)?;
    let store = open_at(sqlite_url(draft), config, &keys).await?;
    store.check_keys().await?;
    let found = structure::compare(&store).await?;
    structure::refuse_mixed(&found)?;
    let accounts = store.begin_new_epochs(new_epoch).await?;
    store.end_all_leases(SystemClock.now()).await?;
    store.close().await?;
    Ok(RestoreReport { accounts, pending: found.pending.len(), replaced: None })
}

/// Gives every account's event log a new epoch: for a PostgreSQL database that other programs brought back. Tells how many
/// accounts there are.
///
/// # Errors
/// When a server uses the data folder, or the database fails.
pub async fn begin_new_epochs(config: &Config) -> Result<usize, AppError> {
    let _lock = App::lock_data(&config.database.location)?;
    let store = open_as_it_is(config).await?;
    store.check_keys().await?;
    Ok(store.begin_new_epochs(new_epoch).await?)
}

fn new_epoch() -> uuid::Uuid {
    let mut bytes = [0; 16];
    SystemChance.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Keeps the database that is there under another name, together with what its write-ahead log holds. It also stays under its
/// own, to be replaced in one step.
async fn put_aside(config: &Config, target: &Path) -> io::Result<PathBuf> {
    // One that is too broken for this is kept as it is.
    if let Ok(store) = open_as_it_is(config).await {
        let _ = store.checkpoint().await;
        let _ = store.close().await;
    }
    let aside = beside(target, &format!(".replaced-{}", SystemClock.now().format("%Y%m%dT%H%M%S%.3fZ")));
    fs::hard_link(target, &aside)?;
    // A log that stayed would be taken for the new database's.
    for part in ["-wal", "-shm"] {
        match fs::rename(beside(target, part), beside(&aside, part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(aside)
}

/// Removes a database file and those beside it, as far as they are there.
fn remove_database(file: &Path) {
    for part in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(file, part));
    }
}

/// Makes a file for its owner alone.
fn create(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    name.into()
}

/// Brings the names in a file's folder to the disk.
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
