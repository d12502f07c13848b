//! API keys as credentials: which are good, and that they are used.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Duration, Utc};
use tracing::warn;

use super::authenticator::AuthError;
use crate::{
    domain::{
        api_key::{ApiKey, ApiKeyState, KeyText},
        id::{AccountId, ApiKeyId},
    },
    store::{Store, StoreError},
};

/// How often, at most, it is written that a key is in use. A write for each request would make every read a write.
const NOTE_EVERY: Duration = Duration::minutes(1);

/// Looks keys up, and notes that they are used.
pub(super) struct ApiKeys {
    store: Store,
    /// When the use of a key was last noted by this process. Holds no more keys than there are.
    noted: Arc<Mutex<HashMap<ApiKeyId, DateTime<Utc>>>>,
}

impl ApiKeys {
    pub fn new(store: Store) -> Self {
        Self { store, noted: Arc::default() }
    }

    /// What is known of a good key. Unknown, expired and revoked ones are refused alike; the reason is for the log.
    pub async fn find_good(&self, text: &str, now: DateTime<Utc>) -> Result<ApiKey, AuthError> {
        let Some(key) = KeyText::parse(text) else { return Err(refuse("malformed")) };
        let found = self.store.find_api_key(&key).await?.ok_or_else(|| refuse("unknown"))?;
        match found.state(now) {
            ApiKeyState::Active => Ok(found),
            ApiKeyState::Expired => Err(refuse("expired")),
            ApiKeyState::Revoked => Err(refuse("revoked")),
        }
    }

    /// Notes that keys are in use, unless that was noted lately. Nobody waits for the write: a database that is busy or full
    /// must not keep readers out.
    pub fn note_use(&self, account: &AccountId, ids: impl IntoIterator<Item = ApiKeyId>, now: DateTime<Utc>) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = |id: &ApiKeyId| noted.get(id).is_none_or(|last| (now - *last).abs() >= NOTE_EVERY);
        let due: BTreeSet<_> = ids.into_iter().filter(is_due).collect();
        if due.is_empty() {
            return;
        }
        noted.extend(due.iter().map(|id| (*id, now)));
        drop(noted);
        let (store, account) = (self.store.clone(), account.clone());
        tokio::spawn(async move {
            if let Err(error) = write_use(&store, &account, &due, now).await {
                warn!(account.id = %account, error = %error, "Could not note that API keys are used: {error}");
            }
        });
    }
}

async fn write_use(
    store: &Store,
    account: &AccountId,
    ids: &BTreeSet<ApiKeyId>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let tx = store.begin(account).await?;
    tx.rows().note_api_keys_used(ids, now).await?;
    tx.commit().await?;
    Ok(())
}

fn refuse(fault: &'static str) -> AuthError {
    tracing::info!(auth.fault = fault, "Refused an API key: {fault}");
    AuthError::Invalid
}
