//! What was answered to mutations that were sent with a key. Key and input are kept as keyed hashes: both may hold contact data.

use chrono::{DateTime, Utc};
use entity::idempotency_key::{ActiveModel, Column, Entity};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict,
};

use super::{Rows, StoreError};
use crate::domain::once::{KEPT_FOR, Once};

/// The part that every key has; what is done in parts has more, from 1 on.
const HEAD: i32 = 0;

/// A caller's key as it is stored.
pub struct OnceKey {
    key: String,
    input: String,
}

/// What a key stands for.
pub enum Claimed {
    /// It is new, and is this transaction's now.
    New(Kept),
    /// The same was asked for before.
    Known(Kept),
    /// Something else was asked for under it.
    OtherInput,
}

/// What is kept under a key.
pub struct Kept {
    /// What is needed to answer again.
    pub answer: String,
    /// When the key may be used anew.
    pub expires_at: DateTime<Utc>,
}

impl OnceKey {
    /// An answer that no version of rollcall wrote.
    pub fn bad_answer(&self) -> StoreError {
        StoreError::BadRow { table: "idempotency_key", id: self.key.clone(), column: "answer" }
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// The caller's key as it is stored. Each subject has keys of its own, for each mutation.
    pub fn once_key(&self, subject: &str, once: &Once) -> OnceKey {
        OnceKey {
            key: self.sealer.once_hash(&[self.account.as_str(), subject, once.mutation(), once.key()]),
            input: self.sealer.once_hash(&[self.account.as_str(), once.mutation(), once.input()]),
        }
    }

    /// Takes a key to the end of the transaction, with what is answered under it if it is new. Whoever else takes it waits for that
    /// end. To be called before any other row is locked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_once(&self, once: &OnceKey, answer: &str, now: DateTime<Utc>) -> Result<Claimed, StoreError> {
        Entity::delete_many()
            .filter(Column::Account.eq(self.account.as_str()))
            .filter(Column::Key.eq(once.key.as_str()))
            .filter(Column::ExpiresAt.lte(now))
            .exec(self.db)
            .await?;
        let kept = Kept { answer: answer.to_owned(), expires_at: now + KEPT_FOR };
        if self.insert_part(once, HEAD, &kept).await? {
            return Ok(Claimed::New(kept));
        }
        let id = (self.account.to_string(), once.key.clone(), HEAD);
        match Entity::find_by_id(id).lock_exclusive().one(self.db).await? {
            Some(row) if row.input != once.input => Ok(Claimed::OtherInput),
            Some(row) => Ok(Claimed::Known(Kept { answer: row.answer, expires_at: row.expires_at })),
            // It was there a moment ago, and pruned since: only what has expired is.
            None => Err(once.bad_answer()),
        }
    }

    /// What became of a part, from 1 on; `None` where it is still to be done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_part(&self, once: &OnceKey, part: i32) -> Result<Option<String>, StoreError> {
        let id = (self.account.to_string(), once.key.clone(), part);
        Ok(Entity::find_by_id(id).one(self.db).await?.map(|row| row.answer))
    }

    /// Notes what became of a part. The key must be this transaction's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_part(&self, once: &OnceKey, part: i32, kept: &Kept) -> Result<(), StoreError> {
        self.insert_part(once, part, kept).await.map(|_| ())
    }

    /// Tells whether the row is new.
    async fn insert_part(&self, once: &OnceKey, part: i32, kept: &Kept) -> Result<bool, StoreError> {
        let row = ActiveModel {
            account: Set(self.account.to_string()),
            key: Set(once.key.clone()),
            part: Set(part),
            input: Set(once.input.clone()),
            answer: Set(kept.answer.clone()),
            expires_at: Set(kept.expires_at),
        };
        let mut on_conflict = OnConflict::columns([Column::Account, Column::Key, Column::Part]);
        on_conflict.do_nothing();
        let inserted = Entity::insert(row).on_conflict(on_conflict).exec_without_returning(self.db).await?;
        Ok(inserted > 0)
    }
}
