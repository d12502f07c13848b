//! Looking into the outbox, for demonstration and development.

use super::{ServiceError, Services};
use crate::{domain::id::AccountId, store::OutboxMessage};

impl Services {
    /// The newest messages of an account's outbox, the oldest of them first, `limit` at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_outbox(&self, account: &AccountId, limit: u64) -> Result<Vec<OutboxMessage>, ServiceError> {
        Ok(self.core.store.rows(account).list_outbox(limit).await?)
    }
}
