//! Opening the keys and the database that the configuration names.

use std::{path::Path, sync::Arc};

use super::{AppError, Migrations, structure};
use crate::{
    adapter::{
        keys::{FileKeys, KeysError, read_sealing_keys},
        random::SystemChance,
        wakeup::in_process::InProcessWakeup,
    },
    config::{Config, DatabaseLocation},
    domain::chance::Chance,
    port::{
        keys::{KeySource as _, SealingKey},
        wakeup::Wakeup as _,
    },
    store::{ConnectOptions, NamedKey, OnCommit, OnStatement, ReloadKeys, SealerKeys, Store},
};

/// The keys. Where the database is there already, none is made that looks like one that was lost.
pub(super) fn open_keys(config: &Config, chance: &dyn Chance) -> Result<FileKeys, KeysError> {
    if matches!(&config.database.location, DatabaseLocation::Sqlite(path) if path.exists()) {
        FileKeys::expect_kept(&config.data.dir, &config.keys)?;
    }
    FileKeys::open(&config.data.dir, &config.keys, &config.auth, chance)
}

/// The database, with a structure and keys that fit.
pub(super) async fn open_store(
    config: &Config,
    keys: &FileKeys,
    wakeup: &Arc<InProcessWakeup>,
    migrations: Migrations,
    on_statement: Option<OnStatement>,
) -> Result<Store, AppError> {
    let wakeup = Arc::clone(wakeup);
    let options = describe(config, keys, database_url(config), Arc::new(move || wakeup.wake()));
    let store = Store::connect_observed(&options, on_statement).await?;
    structure::prepare(&store, migrations).await?;
    store.check_keys().await?;
    Ok(store)
}

/// The database as it is, for a command that tells nobody of what it does.
pub(super) async fn open_as_it_is(config: &Config) -> Result<Store, AppError> {
    let keys = open_keys(config, &SystemChance)?;
    open_at(database_url(config), config, &keys).await
}

/// The database at that URL, with the configuration's keys.
pub(super) async fn open_at(url: String, config: &Config, keys: &FileKeys) -> Result<Store, AppError> {
    Ok(Store::connect(&describe(config, keys, url, Arc::new(|| {}))).await?)
}

fn describe(config: &Config, keys: &FileKeys, url: String, on_commit: OnCommit) -> ConnectOptions {
    let (dir, of_keys) = (config.data.dir.clone(), config.keys.clone());
    let reload: ReloadKeys = Arc::new(move || {
        let found = read_sealing_keys(&dir, &of_keys).inspect_err(|error| {
            tracing::error!(%error, "The sealing keys cannot be read again: {error}");
        });
        name(found.unwrap_or_default())
    });
    ConnectOptions {
        url,
        max_connections: config.database.max_connections,
        keys: SealerKeys { sealing: name(keys.sealing_keys()), index: keys.index_key(), reload: Some(reload) },
        on_commit,
    }
}

fn name(keys: Vec<SealingKey>) -> Vec<NamedKey> {
    keys.into_iter().map(|key| (key.id, key.key)).collect()
}

fn database_url(config: &Config) -> String {
    match &config.database.location {
        DatabaseLocation::Sqlite(path) => sqlite_url(path),
        DatabaseLocation::Postgres(url) => url.expose().to_owned(),
    }
}

/// The URL of an SQLite file; characters that mean something in a URL are escaped.
pub(super) fn sqlite_url(path: &Path) -> String {
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite://{escaped}")
}
