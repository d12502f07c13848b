//! Taking away what was kept long enough, so many rows at a time: a transaction of this kind is short, whatever has piled up.
//!
//! Each function tells how many rows went; where that is `limit` there may be more.

use chrono::{DateTime, Utc};
use entity::{
    account, audit_entry, channel, channel_subscription, directory_sync, directory_sync_outcome, endpoint_guard, event,
    idempotency_key, outbox_message,
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
    sea_query::{Expr, Func, LockBehavior, LockType},
};
use uuid::Uuid;

use super::{
    Rows, StoreError, directory_sync::SyncState, event::STATUS_CHANGED, guard::read_guard, subscription::CLOSED,
};

/// How many runs of directory syncs go in one transaction; their outcomes count apart.
const RUNS: u64 = 50;

impl Rows<'_, DatabaseTransaction> {
    /// Takes out events that happened before `events_before`; status changes stay as history until `history_before`. Cursors
    /// before them have expired from then on, whether all of them are gone yet or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune_events(
        &self,
        events_before: DateTime<Utc>,
        history_before: DateTime<Utc>,
        limit: u64,
    ) -> Result<u64, StoreError> {
        use event::Column;
        let of_account = || event::Entity::find().filter(Column::Account.eq(self.account.as_str()));
        let newest: Option<Option<i64>> = of_account()
            .select_only()
            .column_as(Column::Position.max(), "newest")
            .filter(Column::OccurredAt.lt(events_before))
            .into_tuple()
            .one(self.db)
            .await?;
        let Some(Some(newest)) = newest else { return Ok(0) };
        account::Entity::update_many()
            .col_expr(account::Column::PrunedTo, Expr::value(newest))
            .filter(account::Column::Id.eq(self.account.as_str()))
            .filter(account::Column::PrunedTo.lt(newest))
            .exec(self.db)
            .await?;
        let outlived = Condition::any().add(Column::Kind.ne(STATUS_CHANGED)).add(Column::OccurredAt.lt(history_before));
        let some = of_account()
            .select_only()
            .column(Column::Position)
            .filter(Column::Position.lte(newest))
            .filter(outlived)
            .order_by_asc(Column::Position)
            .limit(limit)
            .into_query();
        let deleted = event::Entity::delete_many()
            .filter(Column::Account.eq(self.account.as_str()))
            .filter(Column::Position.in_subquery(some))
            .exec(self.db)
            .await?;
        Ok(deleted.rows_affected)
    }

    /// Takes out messages that were sent before that moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune_outbox(&self, before: DateTime<Utc>, limit: u64) -> Result<u64, StoreError> {
        use outbox_message::Column;
        let sent = outbox_message::Entity::find()
            .filter(Column::Account.eq(self.account.as_str()))
            .filter(Column::SentAt.lt(before));
        self.delete_some(sent, Column::MessageId, limit).await
    }

    /// Takes out entries of the audit log of before that moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune_audit_entries(&self, before: DateTime<Utc>, limit: u64) -> Result<u64, StoreError> {
        use audit_entry::Column;
        let outlived = audit_entry::Entity::find()
            .filter(Column::Account.eq(self.account.as_str()))
            .filter(Column::OccurredAt.lt(before));
        self.delete_some(outlived, Column::Number, limit).await
    }

    /// Forgets the keys that expired by then; the parts of a key go with it, and count too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune_idempotency_keys(&self, now: DateTime<Utc>, limit: u64) -> Result<u64, StoreError> {
        use idempotency_key::Column;
        let some = idempotency_key::Entity::find()
            .select_only()
            .column(Column::Key)
            .distinct()
            .filter(Column::Account.eq(self.account.as_str()))
            .filter(Column::ExpiresAt.lte(now))
            .limit(limit)
            .into_query();
        let deleted = idempotency_key::Entity::delete_many()
            .filter(Column::Account.eq(self.account.as_str()))
            .filter(Column::ExpiresAt.lte(now))
            .filter(Column::Key.in_subquery(some))
            .exec(self.db)
            .await?;
        Ok(deleted.rows_affected)
    }

    /// Takes out requests that are over since before that moment and that no channel names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune_closed_subscriptions(&self, before: DateTime<Utc>, limit: u64) -> Result<u64, StoreError> {
        use channel_subscription::Column;
        let named = channel::Entity::find()
            .select_only()
            .column(channel::Column::Generation)
            .filter(channel::Column::Account.eq(self.account.as_str()))
            .filter(channel::Column::Generation.is_not_null())
            .into_query();
        // Those that the provider refused were never retired.
        let over_at = Expr::from(Func::coalesce([Column::RetiredAt.into_expr(), Column::RequestedAt.into_expr()]));
        let over = channel_subscription::Entity::find()
            .filter(Column::Account.eq(self.account.as_str()))
            .filter(Column::Phase.eq(CLOSED))
            .filter(over_at.lt(before))
            .filter(Column::Id.not_in_subquery(named));
        self.delete_some(over, Column::Id, limit).await
    }

    /// Takes out so many of these rows, which that column tells apart.
    async fn delete_some<E: EntityTrait>(
        &self,
        rows: Select<E>,
        key: E::Column,
        limit: u64,
    ) -> Result<u64, StoreError> {
        let some = rows.select_only().column(key).limit(limit).into_query();
        Ok(E::delete_many().filter(key.in_subquery(some)).exec(self.db).await?.rows_affected)
    }

    /// Takes out runs of directory syncs that ended before that moment, and what they did to whom. The newest run of each
    /// directory stays, and the newest that succeeded.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune_syncs(&self, before: DateTime<Utc>, limit: u64) -> Result<u64, StoreError> {
        let mut gone = 0;
        let outlived = self.list_outlived_syncs(before).await?;
        let all_listed = u64::try_from(outlived.len()).is_ok_and(|count| count < RUNS);
        for id in outlived {
            gone += self.delete_outcomes(id, limit - gone).await?;
            if gone >= limit {
                // What is left of this run goes the next time.
                break;
            }
            directory_sync::Entity::delete_by_id(id).exec(self.db).await?;
            gone += 1;
            if gone >= limit {
                break;
            }
        }
        Ok(if all_listed { gone } else { limit })
    }

    async fn list_outlived_syncs(&self, before: DateTime<Utc>) -> Result<Vec<Uuid>, StoreError> {
        use directory_sync::Column;
        let runs = || directory_sync::Entity::find().filter(Column::Account.eq(self.account.as_str()));
        let directories: Vec<String> =
            runs().select_only().column(Column::Directory).distinct().into_tuple().all(self.db).await?;
        let mut keep: Vec<Uuid> = Vec::new();
        for directory in &directories {
            let real = || {
                let run = runs().filter(Column::Directory.eq(directory.as_str())).filter(Column::DryRun.eq(false));
                run.select_only().column(Column::Id).order_by_desc(Column::Id)
            };
            keep.extend(real().into_tuple::<Uuid>().one(self.db).await?);
            let succeeded = real().filter(Column::State.eq(SyncState::Succeeded.name()));
            keep.extend(succeeded.into_tuple::<Uuid>().one(self.db).await?);
        }
        // A run that has not ended has no end.
        let outlived = runs()
            .select_only()
            .column(Column::Id)
            .filter(Column::FinishedAt.lt(before))
            .filter(Column::Id.is_not_in(keep))
            .order_by_asc(Column::Id)
            .limit(RUNS);
        Ok(outlived.into_tuple().all(self.db).await?)
    }

    async fn delete_outcomes(&self, sync: Uuid, limit: u64) -> Result<u64, StoreError> {
        use directory_sync_outcome::Column;
        let some = directory_sync_outcome::Entity::find()
            .select_only()
            .column(Column::Ordinal)
            .filter(Column::SyncId.eq(sync))
            .order_by_asc(Column::Ordinal)
            .limit(limit)
            .into_query();
        let deleted = directory_sync_outcome::Entity::delete_many()
            .filter(Column::SyncId.eq(sync))
            .filter(Column::Ordinal.in_subquery(some))
            .exec(self.db)
            .await?;
        Ok(deleted.rows_affected)
    }

    /// Looks at `limit` guards after a key, ordered by key, and forgets those that guard nothing any more. Guards that somebody
    /// holds are left alone. Tells where to go on; `None` at the end.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn prune_guards(
        &self,
        now: DateTime<Utc>,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Option<String>, StoreError> {
        use endpoint_guard::Column;
        let of_account = || Condition::all().add(Column::Account.eq(self.account.as_str()));
        let mut looked_at = of_account().add(Column::OptedOutAt.is_null());
        if let Some(after) = after {
            looked_at = looked_at.add(Column::EndpointKey.gt(after));
        }
        let rows = endpoint_guard::Entity::find()
            .filter(looked_at)
            .order_by_asc(Column::EndpointKey)
            .limit(limit)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(self.db)
            .await?;
        let mut idle = Vec::new();
        for row in &rows {
            if read_guard(row)?.is_idle(now) {
                idle.push(row.endpoint_key.as_str());
            }
        }
        if !idle.is_empty() {
            let idle = of_account().add(Column::EndpointKey.is_in(idle));
            endpoint_guard::Entity::delete_many().filter(idle).exec(self.db).await?;
        }
        let full = u64::try_from(rows.len()).is_ok_and(|count| count >= limit);
        Ok(rows.last().filter(|_| full).map(|row| row.endpoint_key.clone()))
    }
}
