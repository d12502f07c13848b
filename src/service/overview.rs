//! What is running, for the start page.

use super::{ServiceError, Services};
use crate::{domain::id::AccountId, store::EngineerFilter};

/// What is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overview {
    /// How many people are on the roll of the account.
    pub engineers: u64,
    /// Whether the database is SQLite inside this process.
    pub embedded: bool,
}

impl Services {
    /// What is running, as far as it concerns an account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look_over(&self, account: &AccountId) -> Result<Overview, ServiceError> {
        let engineers = self.core.store.rows(account).count_engineers(&EngineerFilter::default()).await?;
        Ok(Overview { engineers, embedded: self.core.store.is_embedded() })
    }
}
