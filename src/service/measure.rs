//! How the roll and the work stand, for whoever watches the server.

use chrono::{DateTime, Utc};

use super::Services;
use crate::{
    domain::id::AccountId,
    store::{ConfirmationSyncState, QueueMeasure, RollMeasure, StoreError},
};

/// From when to when something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it ended, if that is known.
    pub ended: Option<DateTime<Utc>>,
}

/// How the roll and the work of all accounts of the configuration stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measures {
    /// The rolls.
    pub rolls: Vec<RollMeasure>,
    /// The work that is due: every queue of every account, empty ones included.
    pub queues: Vec<QueueMeasure>,
    /// The last complete confirmation sync of an account.
    pub confirmation_syncs: Vec<(AccountId, Span)>,
    /// The last successful sync of a directory.
    pub directory_syncs: Vec<(AccountId, String, Span)>,
}

impl Services {
    /// Measures the roll and the work. The number of statements does not depend on the number of accounts.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn measure(&self) -> Result<Measures, StoreError> {
        let (store, accounts) = (&self.core.store, self.account_ids());
        let directory_syncs = store.list_directory_syncs_done(&accounts).await?;
        let is_configured = |account: &AccountId, directory: &String| {
            self.core.accounts.get(account).is_some_and(|account| account.directories.contains_key(directory))
        };
        Ok(Measures {
            rolls: store.measure_rolls(&accounts).await?,
            queues: store.measure_queues(&accounts, self.now()).await?,
            confirmation_syncs: self.list_confirmation_syncs().await?,
            directory_syncs: directory_syncs
                .into_iter()
                .filter(|(account, directory, ..)| is_configured(account, directory))
                .map(|(account, directory, began, ended)| (account, directory, Span { began, ended: Some(ended) }))
                .collect(),
        })
    }

    /// When the last complete confirmation sync with the present provider of each account began, where there was one.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_confirmation_syncs(&self) -> Result<Vec<(AccountId, Span)>, StoreError> {
        let states = self.core.store.list_confirmation_syncs().await?;
        let present = states.into_iter().filter(|(account, provider, _)| {
            self.core.accounts.get(account).is_some_and(|account| account.provider.name() == provider)
        });
        let span = |(account, _, state): (AccountId, String, ConfirmationSyncState)| {
            let began = state.completed_at?;
            let ended = state.finished_at.filter(|ended| *ended >= began);
            Some((account, Span { began, ended }))
        };
        Ok(present.filter_map(span).collect())
    }
}
