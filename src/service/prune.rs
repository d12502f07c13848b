//! Taking away what was kept long enough.

use chrono::{DateTime, Utc};

use super::{ServiceError, Services};
use crate::domain::id::AccountId;

/// How many rows of a table go in one transaction, so that those who write meanwhile hardly wait.
const PIECE: u64 = 500;

impl Services {
    /// Takes away a piece of what was kept long enough, by the retention. Tells whether there may be more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune(&self) -> Result<bool, ServiceError> {
        let now = self.now();
        let mut more = false;
        for account in self.core.accounts.keys() {
            more |= self.prune_some(account, now).await?;
        }
        if more {
            return Ok(true);
        }
        for account in self.core.accounts.keys() {
            self.prune_guards(account, now).await?;
        }
        self.core.store.checkpoint().await?;
        Ok(false)
    }

    /// Each table that grows by itself has its line here, and its row in docs/operations.md.
    async fn prune_some(&self, account: &AccountId, now: DateTime<Utc>) -> Result<bool, ServiceError> {
        let keep = self.core.retention;
        let tx = self.core.store.begin(account).await?;
        let rows = tx.rows();
        let gone = [
            rows.prune_outbox(now - keep.outbox, PIECE).await?,
            rows.prune_idempotency_keys(now, PIECE).await?,
            rows.prune_syncs(now - keep.syncs, PIECE).await?,
            rows.prune_closed_subscriptions(now - keep.requests, PIECE).await?,
            rows.prune_audit_entries(now - keep.audit, PIECE).await?,
            // Last, since it locks the account's row.
            rows.prune_events(now - keep.events, now - keep.history, PIECE).await?,
        ];
        tx.commit().await?;
        Ok(gone.iter().any(|gone| *gone >= PIECE))
    }

    /// What guards of endpoints remember is judged by the rules of resending, so each of them is looked at.
    async fn prune_guards(&self, account: &AccountId, now: DateTime<Utc>) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let tx = self.core.store.begin(account).await?;
            after = tx.rows().prune_guards(now, after.as_deref(), PIECE).await?;
            tx.commit().await?;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}
