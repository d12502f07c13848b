//! The use cases, one file each: load, ask the domain, store state and events in one transaction. Ports are called only between
//! transactions.

pub mod add_engineer;
mod audit;
pub mod batch;
pub mod bulk_file;
pub mod cancel;
pub mod cancel_channels;
pub mod confirm;
pub mod confirmation_sync;
pub mod create_api_key;
pub mod delete_engineers;
pub mod directory_sync;
pub mod edit;
pub mod erase;
pub mod expire;
pub mod export;
pub mod export_audit;
pub mod hand_over;
pub mod import;
pub mod measure;
mod once;
pub mod outbox;
pub mod overview;
pub mod prune;
pub mod reveal_contact;
pub mod revoke_api_keys;
pub mod subscribe_channels;
mod subscribe_once;
pub mod sync_engineers;
pub mod update_engineer;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Duration, Utc};

use crate::{
    domain::{
        account::AccountSettings, actor::Forbidden, chance::Chance, clock::Clock, id::AccountId, refusal::Refusal,
        request::RequestContext, retention::Retention,
    },
    port::{directory::DirectorySource, provider::ConfirmationProvider},
    store::{Store, StoreError},
};

/// What a failure of the database means for whoever asked.
pub use crate::store::Trouble;

/// How many people one transaction of a bulk run changes at most.
pub const CHUNK: usize = 200;

/// An account with what it works with.
pub struct Account {
    /// What the configuration says.
    pub settings: AccountSettings,
    /// Who asks for confirmations.
    pub provider: Arc<dyn ConfirmationProvider>,
    /// The directories by name.
    pub directories: BTreeMap<String, Directory>,
}

/// A directory of an account.
pub struct Directory {
    /// The directory.
    pub source: Arc<dyn DirectorySource>,
    /// How often it is read by itself; `None` for only when asked.
    pub sync_every: Option<Duration>,
}

/// What every use case needs.
pub struct Core {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub chance: Arc<dyn Chance>,
    /// The accounts of the configuration.
    pub accounts: BTreeMap<AccountId, Account>,
    /// How long a confirmation message can be answered: 48 hours, save in development.
    pub link_lifetime: Duration,
    /// How long what is kept.
    pub retention: Retention,
}

/// The use cases. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    core: Arc<Core>,
    /// The request that asks, which the audit log names.
    request: Option<RequestContext>,
}

/// Why a use case did nothing.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A person can act on it.
    #[error("refused")]
    Refused(Vec<Refusal>),
    /// The caller's role does not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The account is in a token or a row, and not in the configuration.
    #[error("there is no account of that name in the configuration")]
    UnknownAccount,
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(vec![refusal])
    }
}

impl Services {
    /// The use cases over these parts.
    pub fn new(core: Core) -> Self {
        Self { core: Arc::new(core), request: None }
    }

    /// The database, for the read side.
    pub fn store(&self) -> &Store {
        &self.core.store
    }

    /// The present moment.
    pub fn now(&self) -> DateTime<Utc> {
        self.core.clock.now()
    }

    /// The time.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.core.clock)
    }

    /// Randomness.
    pub fn chance(&self) -> &dyn Chance {
        self.core.chance.as_ref()
    }

    /// The accounts of the configuration.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.core.accounts.values()
    }

    /// The keys of the accounts.
    pub(crate) fn account_ids(&self) -> Vec<AccountId> {
        self.core.accounts.keys().cloned().collect()
    }

    /// The account of that key.
    ///
    /// # Errors
    /// When the configuration has none.
    pub fn account(&self, id: &AccountId) -> Result<&Account, ServiceError> {
        self.core.accounts.get(id).ok_or(ServiceError::UnknownAccount)
    }

    /// How long a confirmation message can be answered.
    pub fn link_lifetime(&self) -> Duration {
        self.core.link_lifetime
    }

    /// How long what is kept.
    pub fn retention(&self) -> Retention {
        self.core.retention
    }
}
