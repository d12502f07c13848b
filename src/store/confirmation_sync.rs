//! How the confirmation sync of an account stands.

use chrono::{DateTime, Utc};
use entity::confirmation_sync;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait, QuerySelect, sea_query::OnConflict,
};

use super::{Rows, StoreError};

/// How the confirmation sync of an account stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfirmationSyncState {
    /// When a person asked for a run that has not begun.
    pub wanted_at: Option<DateTime<Utc>>,
    /// When the last run began.
    pub started_at: Option<DateTime<Utc>>,
    /// When the last complete run began.
    pub completed_at: Option<DateTime<Utc>>,
    /// When the last complete run ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How many requests the last complete listing lacked.
    pub missing: i32,
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// How the confirmation sync with a provider stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get_confirmation_sync(&self, provider: &str) -> Result<ConfirmationSyncState, StoreError> {
        let row =
            confirmation_sync::Entity::find_by_id((self.account.to_string(), provider.to_owned())).one(self.db).await?;
        Ok(row.map_or_else(ConfirmationSyncState::default, read_confirmation_sync))
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// The same, locked to the end of the transaction: who writes it must not lose what another process writes meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_confirmation_sync(&self, provider: &str) -> Result<ConfirmationSyncState, StoreError> {
        use confirmation_sync::Column;
        let key = (self.account.to_string(), provider.to_owned());
        let row = confirmation_sync::ActiveModel {
            account: Set(key.0.clone()),
            provider: Set(key.1.clone()),
            wanted_at: Set(None),
            started_at: Set(None),
            completed_at: Set(None),
            finished_at: Set(None),
            missing: Set(0),
        };
        confirmation_sync::Entity::insert(row)
            .on_conflict(OnConflict::columns([Column::Account, Column::Provider]).do_nothing().to_owned())
            .exec_without_returning(self.db)
            .await?;
        let row = confirmation_sync::Entity::find_by_id(key).lock_exclusive().one(self.db).await?;
        Ok(row.map_or_else(ConfirmationSyncState::default, read_confirmation_sync))
    }

    /// Writes how the confirmation sync with a provider stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_confirmation_sync(
        &self,
        provider: &str,
        state: &ConfirmationSyncState,
    ) -> Result<(), StoreError> {
        use confirmation_sync::Column;
        let row = confirmation_sync::ActiveModel {
            account: Set(self.account.to_string()),
            provider: Set(provider.to_owned()),
            wanted_at: Set(state.wanted_at),
            started_at: Set(state.started_at),
            completed_at: Set(state.completed_at),
            finished_at: Set(state.finished_at),
            missing: Set(state.missing),
        };
        let mut on_conflict = OnConflict::columns([Column::Account, Column::Provider]);
        on_conflict.update_columns([
            Column::WantedAt,
            Column::StartedAt,
            Column::CompletedAt,
            Column::FinishedAt,
            Column::Missing,
        ]);
        confirmation_sync::Entity::insert(row).on_conflict(on_conflict).exec_without_returning(self.db).await?;
        Ok(())
    }
}

pub(super) fn read_confirmation_sync(row: confirmation_sync::Model) -> ConfirmationSyncState {
    ConfirmationSyncState {
        wanted_at: row.wanted_at,
        started_at: row.started_at,
        completed_at: row.completed_at,
        finished_at: row.finished_at,
        missing: row.missing,
    }
}
