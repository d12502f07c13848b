//! The API keys.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::api_key;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, Order, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select, sea_query::Expr,
};

use super::{Keyset, Rows, Store, StoreError, row::Place};
use crate::domain::{
    actor::Role,
    api_key::{ApiKey, KeyText, Revoked},
    id::ApiKeyId,
};

impl Store {
    /// What is known of a key, good or not. The one finder beside that of the confirmation links that takes no account: the key
    /// itself, 192 bits of randomness, is what proves the right, and names the account.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_api_key(&self, key: &KeyText) -> Result<Option<ApiKey>, StoreError> {
        let hash = self.sealer().api_key_hash(key.expose());
        let row = api_key::Entity::find().filter(api_key::Column::KeyHash.eq(hash)).one(self.reader()).await?;
        row.map(read_api_key).transpose()
    }
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// The keys of these ids; unknown ids are left out.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_api_keys(&self, ids: &[ApiKeyId]) -> Result<HashMap<ApiKeyId, ApiKey>, StoreError> {
        let rows = self.api_keys().filter(among(ids.iter().copied())).all(self.db).await?;
        rows.into_iter().map(|row| Ok((ApiKeyId(row.id), read_api_key(row)?))).collect()
    }

    /// Which of these keys are good.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_good_api_keys(
        &self,
        ids: &BTreeSet<ApiKeyId>,
        now: DateTime<Utc>,
    ) -> Result<BTreeSet<ApiKeyId>, StoreError> {
        let lasting =
            Condition::any().add(api_key::Column::ExpiresAt.is_null()).add(api_key::Column::ExpiresAt.gt(now));
        let found: Vec<uuid::Uuid> = self
            .api_keys()
            .select_only()
            .column(api_key::Column::Id)
            .filter(among(ids.iter().copied()))
            .filter(api_key::Column::RevokedAt.is_null())
            .filter(lasting)
            .into_tuple()
            .all(self.db)
            .await?;
        Ok(found.into_iter().map(ApiKeyId).collect())
    }

    /// One page of the keys, newest first.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_api_keys(&self, keyset: &Keyset<ApiKeyId>) -> Result<Vec<ApiKey>, StoreError> {
        let column = api_key::Column::Id;
        let rows = keyset.stored(|id| id.0).select(self.db, self.api_keys(), column, &Order::Desc).await?;
        rows.into_iter().map(read_api_key).collect()
    }

    /// How many keys there are, dead ones included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_api_keys(&self) -> Result<u64, StoreError> {
        Ok(self.api_keys().count(self.db).await?)
    }

    fn api_keys(&self) -> Select<api_key::Entity> {
        api_key::Entity::find().filter(api_key::Column::Account.eq(self.account.as_str()))
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// Adds a key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_api_key(&self, known: &ApiKey, key: &KeyText) -> Result<(), StoreError> {
        let row = api_key::ActiveModel {
            id: Set(known.id.0),
            account: Set(self.account.to_string()),
            key_hash: Set(self.sealer.api_key_hash(key.expose())),
            label: Set(known.label.clone()),
            role: Set(known.role.name().to_owned()),
            created_by: Set(known.created_by.clone()),
            created_at: Set(known.created_at),
            expires_at: Set(known.expires_at),
            revoked_at: Set(None),
            revoked_by: Set(None),
            last_used_at: Set(None),
        };
        api_key::Entity::insert(row).exec_without_returning(self.db).await?;
        Ok(())
    }

    /// The same as [`Rows::find_api_keys`], locked to the end of the transaction, in the order of their ids.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn lock_api_keys(&self, ids: &[ApiKeyId]) -> Result<HashMap<ApiKeyId, ApiKey>, StoreError> {
        let query = self.api_keys().filter(among(ids.iter().copied()));
        let rows = query.order_by_asc(api_key::Column::Id).lock_exclusive().all(self.db).await?;
        rows.into_iter().map(|row| Ok((ApiKeyId(row.id), read_api_key(row)?))).collect()
    }

    /// Writes that keys were revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_api_keys(&self, ids: &[ApiKeyId], revoked: &Revoked) -> Result<(), StoreError> {
        api_key::Entity::update_many()
            .col_expr(api_key::Column::RevokedAt, Expr::value(revoked.at))
            .col_expr(api_key::Column::RevokedBy, Expr::value(revoked.by.clone()))
            .filter(api_key::Column::Account.eq(self.account.as_str()))
            .filter(among(ids.iter().copied()))
            .exec(self.db)
            .await?;
        Ok(())
    }

    /// Writes that keys are in use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_api_keys_used(&self, ids: &BTreeSet<ApiKeyId>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let earlier =
            Condition::any().add(api_key::Column::LastUsedAt.is_null()).add(api_key::Column::LastUsedAt.lt(now));
        api_key::Entity::update_many()
            .col_expr(api_key::Column::LastUsedAt, Expr::value(now))
            .filter(api_key::Column::Account.eq(self.account.as_str()))
            .filter(among(ids.iter().copied()))
            .filter(earlier)
            .exec(self.db)
            .await?;
        Ok(())
    }
}

fn among(ids: impl Iterator<Item = ApiKeyId>) -> Condition {
    Condition::all().add(api_key::Column::Id.is_in(ids.map(|id| id.0)))
}

fn read_api_key(row: api_key::Model) -> Result<ApiKey, StoreError> {
    let place = Place { table: "api_key", id: &row.id };
    let revoked = match (row.revoked_at, row.revoked_by) {
        (Some(at), Some(by)) => Some(Revoked { at, by }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(place.bad("revoked_by")),
    };
    Ok(ApiKey {
        id: ApiKeyId(row.id),
        account: place.need("account", row.account.parse().ok())?,
        role: place.name("role", &row.role, Role::from_name)?,
        label: row.label,
        created_by: row.created_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked,
        last_used_at: row.last_used_at,
    })
}
