//! Which person a directory identity belongs, or belonged, to.

use std::collections::HashMap;

use entity::directory_identity;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{Rows, StoreError, engineer::keys, tx::ROWS_PER_INSERT};
use crate::domain::{engineer::DirectoryIdentity, id::EngineerId, roster::Remembered};

impl<C: ConnectionTrait> Rows<'_, C> {
    /// What is remembered of the identities of a directory, by external id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_identities(&self, directory: &str) -> Result<HashMap<String, Remembered>, StoreError> {
        let rows = directory_identity::Entity::find()
            .filter(directory_identity::Column::Account.eq(self.account.as_str()))
            .filter(directory_identity::Column::Directory.eq(directory))
            .all(self.db)
            .await?;
        let remembered = |id: Option<Uuid>| id.map_or(Remembered::Erased, |id| Remembered::Engineer(EngineerId(id)));
        Ok(rows.into_iter().map(|row| (row.external_id, remembered(row.engineer_id))).collect())
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// Remembers whose identities these are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_identities(&self, identities: &[(DirectoryIdentity, EngineerId)]) -> Result<(), StoreError> {
        use directory_identity::Column;
        for chunk in identities.chunks(ROWS_PER_INSERT) {
            let rows = chunk.iter().map(|(identity, engineer)| directory_identity::ActiveModel {
                account: Set(self.account.to_string()),
                directory: Set(identity.directory.clone()),
                external_id: Set(identity.external_id.clone()),
                engineer_id: Set(Some(engineer.0)),
            });
            let mut on_conflict = OnConflict::columns([Column::Account, Column::Directory, Column::ExternalId]);
            on_conflict.update_column(Column::EngineerId);
            directory_identity::Entity::insert_many(rows)
                .on_conflict(on_conflict)
                .exec_without_returning(self.db)
                .await?;
        }
        Ok(())
    }

    /// Forgets whose identities these people's were, and keeps that they were erased.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_identities_of(&self, engineers: &[EngineerId]) -> Result<(), StoreError> {
        directory_identity::Entity::update_many()
            .col_expr(directory_identity::Column::EngineerId, Expr::value(Option::<Uuid>::None))
            .filter(directory_identity::Column::Account.eq(self.account.as_str()))
            .filter(directory_identity::Column::EngineerId.is_in(keys(engineers)))
            .exec(self.db)
            .await?;
        Ok(())
    }
}
