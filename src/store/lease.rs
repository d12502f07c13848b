//! Leases: at most one process runs a periodic loop at a time. Each new owner gets a larger fencing number; who writes under a lease
//! checks the number in the same transaction, so that a process which slept too long writes nothing.

use chrono::{DateTime, Duration, Utc};
use entity::{channel_subscription, lease};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use super::{Store, StoreError, Tx};

/// A lease that was held when it was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    name: String,
    number: i64,
}

impl Store {
    /// Takes or prolongs the lease of that name to `now + length`; `None` while another process has it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        length: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        let db = self.begin_write().await?;
        let fresh = lease::ActiveModel {
            name: Set(name.to_owned()),
            owner: Set(owner.to_owned()),
            fence: Set(0),
            until: Set(now),
        };
        lease::Entity::insert(fresh)
            .on_conflict(OnConflict::column(lease::Column::Name).do_nothing().to_owned())
            .exec_without_returning(&db)
            .await?;
        let prolonged = lease::Entity::update_many()
            .col_expr(lease::Column::Until, Expr::value(now + length))
            .filter(lease::Column::Name.eq(name))
            .filter(lease::Column::Owner.eq(owner))
            .filter(lease::Column::Fence.gt(0))
            .filter(lease::Column::Until.gt(now))
            .exec(&db)
            .await?;
        if prolonged.rows_affected == 0 {
            lease::Entity::update_many()
                .col_expr(lease::Column::Owner, Expr::value(owner))
                .col_expr(lease::Column::Until, Expr::value(now + length))
                .col_expr(lease::Column::Fence, Expr::col(lease::Column::Fence).add(1))
                .filter(lease::Column::Name.eq(name))
                .filter(Condition::any().add(lease::Column::Until.lte(now)).add(lease::Column::Owner.eq(owner)))
                .exec(&db)
                .await?;
        }
        let row = lease::Entity::find_by_id(name.to_owned()).one(&db).await?;
        db.commit().await?;
        Ok(row.filter(|row| row.owner == owner).map(|row| Fence { name: row.name, number: row.fence }))
    }

    /// Gives a lease back, so that another process need not wait for its end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_lease(&self, fence: &Fence, now: DateTime<Utc>) -> Result<(), StoreError> {
        lease::Entity::update_many()
            .col_expr(lease::Column::Until, Expr::value(now))
            .filter(lease::Column::Name.eq(fence.name.as_str()))
            .filter(lease::Column::Fence.eq(fence.number))
            .exec(self.writer())
            .await?;
        Ok(())
    }

    /// Ends every lease and claim, whoever has it: for a server that has the database for itself and so knows that everyone who
    /// took one is dead. The fences keep it safe even where that is wrong.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_all_leases(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        lease::Entity::update_many().col_expr(lease::Column::Until, Expr::value(now)).exec(self.writer()).await?;
        channel_subscription::Entity::update_many()
            .col_expr(channel_subscription::Column::ClaimedUntil, Expr::value(Some(now)))
            .filter(channel_subscription::Column::ClaimedUntil.gt(now))
            .exec(self.writer())
            .await?;
        Ok(())
    }

    /// Gives every lease and claim of that owner back, so that another process need not wait for its end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_leases(&self, owner: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        lease::Entity::update_many()
            .col_expr(lease::Column::Until, Expr::value(now))
            .filter(lease::Column::Owner.eq(owner))
            .exec(self.writer())
            .await?;
        channel_subscription::Entity::update_many()
            .col_expr(channel_subscription::Column::ClaimedUntil, Expr::value(Some(now)))
            .filter(channel_subscription::Column::ClaimedBy.eq(owner))
            .filter(channel_subscription::Column::ClaimedUntil.gt(now))
            .exec(self.writer())
            .await?;
        Ok(())
    }
}

impl Tx {
    /// Makes the commit depend on the lease: fails where another process has it by now, and keeps it from changing hands until
    /// the commit.
    ///
    /// # Errors
    /// When the lease was lost, or the database fails.
    pub async fn hold_lease(&self, fence: &Fence) -> Result<(), StoreError> {
        let row = lease::Entity::find_by_id(fence.name.clone()).lock_shared().one(self.rows().db).await?;
        match row {
            Some(row) if row.fence == fence.number => Ok(()),
            Some(_) | None => Err(StoreError::LeaseLost),
        }
    }
}
