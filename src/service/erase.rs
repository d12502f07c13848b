//! Erasing deleted people: personal data goes, requests become cancel work, and only the directory identity is remembered.

use chrono::{DateTime, Utc};

use super::{CHUNK, ServiceError, Services};
use crate::{
    domain::{
        audit::{AuditAction, AuditActor},
        id::EngineerId,
    },
    store::{StoreError, Tx},
};

impl Services {
    /// Erases everyone whose time has come. Tells how many people were erased.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erase_due(&self) -> Result<usize, ServiceError> {
        let now = self.now();
        let mut erased = 0;
        for account in self.core.accounts.keys() {
            loop {
                let due = self.core.store.rows(account).list_erasable(now, CHUNK as u64).await?;
                if due.is_empty() {
                    break;
                }
                let mut tx = self.core.store.begin(account).await?;
                tx.rows().lock_engineers(&due).await?;
                // Whoever was restored before the lock was there stays.
                let still_due = tx.rows().list_erasable(now, CHUNK as u64).await?;
                let due: Vec<_> = due.into_iter().filter(|id| still_due.contains(id)).collect();
                erase(&tx, &due, now).await?;
                let record = self.record_of(AuditActor::system(), AuditAction::EraseEngineers);
                due.iter().for_each(|id| tx.record(record.on(*id), self.chance()));
                tx.commit().await?;
                erased += due.len();
            }
        }
        if erased > 0 {
            self.core.store.checkpoint().await?;
        }
        Ok(erased)
    }
}

/// Erases people whom the caller's transaction has locked.
pub(super) async fn erase(tx: &Tx, ids: &[EngineerId], now: DateTime<Utc>) -> Result<(), StoreError> {
    let rows = tx.rows();
    rows.retire_all_of(ids, now).await?;
    rows.forget_identities_of(ids).await?;
    rows.forget_sync_outcomes_of(ids).await?;
    rows.forget_audited(ids).await?;
    rows.erase_engineers(ids).await
}
