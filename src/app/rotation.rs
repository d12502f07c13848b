//! Changing the sealing key.

use std::{path::PathBuf, time::Duration};

use super::{
    AppError, Migrations,
    database::{open_as_it_is, open_keys},
    structure,
};
use crate::{
    adapter::{
        keys::{make_next_key, next_key_path, retire_sealing_key},
        random::SystemChance,
    },
    config::{Config, DatabaseLocation},
    domain::{
        audit::{AuditAction, AuditActor, AuditRecord},
        clock::{Clock as _, SystemClock},
        id::{AccountId, EngineerId},
    },
    port::keys::KeySource as _,
    store::{Resealed, Store, Trouble},
};

/// How many people are sealed anew in one transaction.
const AT_ONCE: u64 = 100;

/// How long others are let at the database between two transactions.
const PAUSE: Duration = Duration::from_millis(10);

/// How often a transaction is tried again that another one was in the way of.
const TRIES: u32 = 5;

/// What came of changing the sealing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// A new key lies in that file, and is used by nobody yet: the other servers need it first.
    Made(PathBuf),
    /// Everything is sealed with the key of that id, but for values that could not be opened.
    Done {
        /// The key's id.
        key: String,
        /// What was sealed anew.
        resealed: Resealed,
        /// Whether the old key was removed.
        retired: bool,
    },
}

/// What is wanted of a change of the sealing key.
#[derive(Debug, Clone, Copy, Default)]
pub struct RotationWish {
    /// Every server of the database has the new key: only then it may be used where there are several.
    pub everywhere: bool,
    /// The old key is to be removed once nothing needs it.
    pub retire: bool,
}

/// Changes the sealing key beside running servers: makes a new one unless one is waiting, has everybody seal with it, and seals
/// anew what is there. Cut off anywhere, it goes on when it is called again.
///
/// # Errors
/// When the keys of the configuration have to be changed first, or the database fails.
pub async fn rotate_sealing_key(config: &Config, wish: RotationWish) -> Result<Rotation, AppError> {
    let mut store = open_as_it_is(config).await?;
    structure::prepare(&store, Migrations::Require).await?;
    store.check_keys().await?;
    let present = store.present_sealing_key().await?;
    let others = matches!(config.database.location, DatabaseLocation::Postgres(_));
    let next = match config.keys.sealing_key {
        Some(_) => find_next_of_configuration(config, &present, wish.everywhere || !others)?,
        None => {
            let waits = next_key_path(&config.data.dir).exists();
            if wish.retire && !waits {
                return Err(AppError::Other(
                    "there is no old sealing key to remove: `rollcall keys rotate` without --retire makes a new one"
                        .to_owned(),
                ));
            }
            let key = make_next_key(&config.data.dir, &SystemChance)?;
            // What was made just now is nowhere else.
            if present != key.id && others && !(wish.everywhere && waits) {
                return Ok(Rotation::Made(next_key_path(&config.data.dir)));
            }
            // With the key that was just made.
            store = open_as_it_is(config).await?;
            key.id
        }
    };
    store.change_sealing_key(&next).await?;
    let record =
        AuditRecord::new(AuditActor::command_line(), AuditAction::RotateKeys, SystemClock.now()).with("key", &next);
    if present != next {
        tell_all(&store, &record).await?;
    }
    let resealed = reseal(&store, &next).await?;
    let left = if wish.retire { store.count_sealed_otherwise(&next).await? } else { 0 };
    let retired = wish.retire && left == 0 && config.keys.sealing_key.is_none();
    if retired {
        retire_sealing_key(&config.data.dir)?;
    }
    let record = record.with("resealed", resealed.done.to_string()).with("retired", retired.to_string());
    tell_all(&store, &record).await?;
    if left > 0 {
        return Err(AppError::Other(format!(
            "the old sealing key cannot be removed: {left} rows hold values that are sealed with another key and cannot be \
             opened; the log names them"
        )));
    }
    Ok(Rotation::Done { key: next, resealed, retired })
}

/// Tells the audit log of each account.
async fn tell_all(store: &Store, record: &AuditRecord) -> Result<(), AppError> {
    for log in store.log_heads().await? {
        let mut tx = store.begin(&log.account).await?;
        tx.record(record.clone(), &SystemChance);
        tx.commit().await?;
    }
    Ok(())
}

/// The key of the configuration that is to be sealed with: the present one of the configuration, which must not be the
/// database's.
fn find_next_of_configuration(config: &Config, present: &str, everywhere: bool) -> Result<String, AppError> {
    let keys = open_keys(config, &SystemChance)?.sealing_keys();
    let first = keys.first().map(|key| key.id.clone()).unwrap_or_default();
    if first == present && config.keys.previous_sealing_key.is_none() {
        return Err(AppError::Other(
            "the sealing key comes from the configuration: give every server a second one, as keys.previous_sealing_key, then \
             exchange the two in keys.sealing_key and keys.previous_sealing_key, and run this again"
                .to_owned(),
        ));
    }
    if first != present && !everywhere {
        return Err(AppError::Other(
            "give --everywhere once every server of the database has both keys in its configuration".to_owned(),
        ));
    }
    Ok(first)
}

async fn reseal(store: &Store, key: &str) -> Result<Resealed, AppError> {
    let mut all = Resealed::default();
    // All that there are, whether the configuration still knows them or not.
    for log in store.log_heads().await? {
        let (account, mut after) = (log.account, None);
        loop {
            let people = store.rows(&account).list_sealed_otherwise(key, after, AT_ONCE).await?;
            let Some(last) = people.last() else { break };
            let Resealed { done, stuck } = reseal_some(store, &account, &people).await?;
            all.done += done;
            all.stuck += stuck;
            after = Some(*last);
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(all)
}

/// One transaction. Where another one was in its way it is tried again.
async fn reseal_some(store: &Store, account: &AccountId, people: &[EngineerId]) -> Result<Resealed, AppError> {
    let attempt = async || {
        let tx = store.begin(account).await?;
        tx.rows().lock_engineers(people).await?;
        let resealed = tx.rows().reseal(people).await?;
        tx.commit().await.map(|_| resealed)
    };
    let mut tries = 1;
    loop {
        match attempt().await {
            Ok(resealed) => return Ok(resealed),
            Err(error) if error.trouble() == Trouble::Unavailable && tries < TRIES => {
                tracing::warn!(%error, "Sealing anew is tried again: {error}");
                tokio::time::sleep(PAUSE * 2_u32.pow(tries)).await;
                tries += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
