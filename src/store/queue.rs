//! The rows as queues, over all accounts: claiming due work under a lease, and finding what time has ended.

use chrono::{DateTime, Utc};
use entity::{channel, channel_subscription, engineer};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, LockBehavior, LockType, SimpleExpr},
};
use uuid::Uuid;

use super::{
    Rows, Store, StoreError, Subscription,
    row::Place,
    subscription::{CANCEL, HAND_OVER},
};
use crate::domain::{
    channel::ChannelKind,
    confirmation::ConfirmationStatus,
    engineer::DirectoryState,
    id::{AccountId, EngineerId},
};

/// What waits for the workers, over all accounts.
pub struct Queue<'a> {
    pub(super) store: &'a Store,
}

/// What a channel subscription waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkKind {
    /// To be handed to the provider. Rows of people who are not ACTIVE wait.
    HandOver,
    /// To be cancelled at the provider.
    Cancel,
}

/// Who claims work, and which.
pub struct Claim<'a> {
    /// The process.
    pub owner: &'a str,
    /// The accounts that it knows: what belongs to others waits until the configuration has them again.
    pub accounts: &'a [AccountId],
    /// The present moment.
    pub now: DateTime<Utc>,
    /// Until when the claim holds.
    pub until: DateTime<Utc>,
    /// The channels that it works on.
    pub channels: &'a [ChannelKind],
    /// The most rows that are claimed.
    pub limit: u64,
}

/// A claimed channel subscription.
pub struct Work {
    /// The account.
    pub account: AccountId,
    /// The request.
    pub subscription: Subscription,
    /// Whether someone may have begun this work before: then the provider is asked what it has first.
    pub tried: bool,
}

impl Queue<'_> {
    /// Claims due work, oldest first. Work whose claim ran out is due again.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn claim(&self, kind: WorkKind, claim: &Claim<'_>) -> Result<Vec<Work>, StoreError> {
        use channel_subscription::Column;
        if !self.has_due(kind, claim).await? {
            return Ok(Vec::new());
        }
        let db = self.store.begin_write().await?;
        let rows = channel_subscription::Entity::find()
            .filter(due(kind, claim))
            .order_by_asc(Column::NextAttemptAt)
            .order_by_asc(Column::Id)
            .limit(claim.limit)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(&db)
            .await?;
        channel_subscription::Entity::update_many()
            .col_expr(Column::ClaimedBy, Expr::value(Some(claim.owner)))
            .col_expr(Column::ClaimedUntil, Expr::value(Some(claim.until)))
            .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
            .exec(&db)
            .await?;
        db.commit().await?;
        let read = |row: &channel_subscription::Model| match self.read_work(row) {
            Ok(work) => Some(work),
            Err(error) => {
                // The others go on; this one shows again when its claim ends.
                tracing::error!(channel.subscription.id = %row.id, %error, "A request cannot be read");
                None
            }
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    fn read_work(&self, row: &channel_subscription::Model) -> Result<Work, StoreError> {
        let place = Place { table: "channel_subscription", id: &row.id };
        let account: AccountId = place.need("account", row.account.parse().ok())?;
        let rows = Rows { db: self.store.reader(), account: &account, sealer: self.store.sealer() };
        let subscription = rows.read_subscription(row)?;
        let tried = row.attempts > 0 || row.claimed_by.is_some();
        Ok(Work { account, subscription, tried })
    }

    /// A look without the write lock, so that idle workers disturb nobody.
    async fn has_due(&self, kind: WorkKind, claim: &Claim<'_>) -> Result<bool, StoreError> {
        let found: Option<Uuid> = channel_subscription::Entity::find()
            .select_only()
            .column(channel_subscription::Column::Id)
            .filter(due(kind, claim))
            .limit(1)
            .into_tuple()
            .one(self.store.reader())
            .await?;
        Ok(found.is_some())
    }

    /// The people of these accounts with a PENDING channel whose link is dead by `now`, `limit` at most.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_expired(
        &self,
        accounts: &[AccountId],
        now: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<(AccountId, EngineerId)>, StoreError> {
        let rows: Vec<(String, Uuid)> = channel::Entity::find()
            .select_only()
            .columns([channel::Column::Account, channel::Column::EngineerId])
            .filter(channel::Column::Account.is_in(names(accounts)))
            .filter(channel::Column::Status.eq(ConfirmationStatus::Pending.name()))
            .filter(channel::Column::ExpiresAt.lte(now))
            .filter(channel::Column::EngineerId.not_in_subquery(deleted_people()))
            .order_by_asc(channel::Column::ExpiresAt)
            .limit(limit)
            .into_tuple()
            .all(self.store.reader())
            .await?;
        rows.into_iter()
            .map(|(account, id)| {
                let place = Place { table: "channel", id: &id };
                Ok((place.need("account", account.parse().ok())?, EngineerId(id)))
            })
            .collect()
    }
}

fn due(kind: WorkKind, claim: &Claim<'_>) -> Condition {
    use channel_subscription::Column;
    let now = claim.now;
    let phase = match kind {
        WorkKind::HandOver => HAND_OVER,
        WorkKind::Cancel => CANCEL,
    };
    let unclaimed = Condition::any().add(Column::ClaimedUntil.is_null()).add(Column::ClaimedUntil.lte(now));
    let mut due = Condition::all()
        .add(Column::Phase.eq(phase))
        .add(Column::NextAttemptAt.lte(now))
        .add(Column::Kind.is_in(claim.channels.iter().map(|kind| kind.name())))
        .add(Column::Account.is_in(names(claim.accounts)))
        .add(unclaimed);
    if kind == WorkKind::HandOver {
        due = due.add(is_of_an_active_person());
    }
    due
}

/// The condition that the request at hand is one of a person who is ACTIVE.
pub(super) fn is_of_an_active_person() -> SimpleExpr {
    let active = engineer::Entity::find()
        .select_only()
        .column(engineer::Column::Id)
        .filter(
            Expr::col((engineer::Entity, engineer::Column::Id))
                .equals((channel_subscription::Entity, channel_subscription::Column::EngineerId)),
        )
        .filter(engineer::Column::DirectoryState.eq(DirectoryState::Active.name()))
        .filter(engineer::Column::DeletedAt.is_null())
        .into_query();
    Expr::exists(active)
}

pub(super) fn names(accounts: &[AccountId]) -> impl Iterator<Item = String> {
    accounts.iter().map(ToString::to_string)
}

pub(super) fn deleted_people() -> sea_orm::sea_query::SelectStatement {
    engineer::Entity::find()
        .select_only()
        .column(engineer::Column::Id)
        .filter(engineer::Column::DeletedAt.is_not_null())
        .into_query()
}
