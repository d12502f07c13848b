//! The accounts' rows: the heads of the event logs.

use chrono::{DateTime, Utc};
use entity::account;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};
use uuid::Uuid;

use super::{Rows, Store, StoreError};
use crate::domain::{
    event::{LogBounds, Position},
    id::AccountId,
};

/// How far the log of an account reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLog {
    /// The account.
    pub account: AccountId,
    /// The log's bounds.
    pub bounds: LogBounds,
}

impl Store {
    /// Makes sure that the account has a row.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ensure_account(&self, id: &AccountId, epoch: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
        let row = account::ActiveModel {
            id: Set(id.to_string()),
            position: Set(0),
            pruned_to: Set(0),
            epoch: Set(epoch),
            created_at: Set(now),
        };
        account::Entity::insert(row)
            .on_conflict(OnConflict::column(account::Column::Id).do_nothing().to_owned())
            .exec_without_returning(self.writer())
            .await?;
        Ok(())
    }

    /// How far every account's log reaches.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn log_heads(&self) -> Result<Vec<AccountLog>, StoreError> {
        let rows = account::Entity::find().all(self.reader()).await?;
        rows.into_iter()
            .map(|row| {
                let account = row.id.parse().map_err(|_| StoreError::BadRow {
                    table: "account",
                    id: row.id.clone(),
                    column: "id",
                })?;
                Ok(AccountLog { account, bounds: bounds(&row) })
            })
            .collect()
    }
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// How far the account's log reaches.
    ///
    /// # Errors
    /// When the database fails, or the account has no row.
    pub async fn log_bounds(&self) -> Result<LogBounds, StoreError> {
        let row = account::Entity::find_by_id(self.account.to_string()).one(self.db).await?;
        row.as_ref().map(bounds).ok_or_else(|| self.no_account())
    }

    pub(super) fn no_account(&self) -> StoreError {
        StoreError::BadRow { table: "account", id: self.account.to_string(), column: "id" }
    }
}

fn bounds(row: &account::Model) -> LogBounds {
    LogBounds { epoch: row.epoch, pruned_to: Position(row.pruned_to), head: Position(row.position) }
}
