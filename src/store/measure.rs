//! Counts over all accounts for whoever watches the server: a few grouped statements.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::{channel, channel_subscription, confirmation_sync, directory_sync, engineer};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, SelectStatement},
};

use super::{
    ChannelCount, ConfirmationSyncState, Store, StoreError, SyncState,
    confirmation_sync::read_confirmation_sync,
    queue::{is_of_an_active_person, names},
    row::Place,
    subscription::{CANCEL, HAND_OVER},
    summary::{complete_channels, reachability_is, read_count},
};
use crate::domain::{confirmation::ConfirmationStatus, engineer::Reachability, id::AccountId, named::named};

named! {
    /// What work waits for.
    pub enum QueueKind {
        /// Requests, to be handed to the provider.
        HandOver = "hand_over",
        /// Requests, to be cancelled at the provider.
        Cancel = "cancel",
        /// Runs of directory syncs.
        DirectorySync = "directory_sync",
    }
}

/// The roll of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollMeasure {
    /// The account.
    pub account: AccountId,
    /// Everyone on it.
    pub engineers: u64,
    /// Those whom no channel reaches.
    pub unreachable: u64,
    /// By channel and status: every pair, zeros included.
    pub channels: Vec<ChannelCount>,
}

/// A queue of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMeasure {
    /// The account.
    pub account: AccountId,
    /// The queue.
    pub kind: QueueKind,
    /// How much is due.
    pub due: u64,
    /// Since when the oldest of it has been due.
    pub oldest: Option<DateTime<Utc>>,
}

impl Store {
    /// The rolls of these accounts.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn measure_rolls(&self, accounts: &[AccountId]) -> Result<Vec<RollMeasure>, StoreError> {
        let everyone = self.count_people(accounts, Condition::all()).await?;
        let unreachable = self.count_people(accounts, reachability_is(Reachability::Unreachable)).await?;
        let mut channels = self.count_channels(accounts).await?;
        let measure = |account: &AccountId| {
            let of = |counts: &BTreeMap<String, u64>| counts.get(account.as_str()).copied().unwrap_or(0);
            let engineers = of(&everyone);
            let counted = channels.remove(account.as_str()).unwrap_or_default();
            RollMeasure {
                account: account.clone(),
                engineers,
                unreachable: of(&unreachable),
                channels: complete_channels(&counted, engineers),
            }
        };
        Ok(accounts.iter().map(measure).collect())
    }

    async fn count_people(
        &self,
        accounts: &[AccountId],
        condition: Condition,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows: Vec<(String, i64)> = engineer::Entity::find()
            .select_only()
            .column(engineer::Column::Account)
            .column_as(engineer::Column::Id.count(), "count")
            .filter(engineer::Column::Account.is_in(names(accounts)))
            .filter(engineer::Column::DeletedAt.is_null())
            .filter(condition)
            .group_by(engineer::Column::Account)
            .into_tuple()
            .all(self.reader())
            .await?;
        Ok(rows.into_iter().map(|(account, count)| (account, u64::try_from(count).unwrap_or(0))).collect())
    }

    async fn count_channels(&self, accounts: &[AccountId]) -> Result<BTreeMap<String, Vec<ChannelCount>>, StoreError> {
        let rows: Vec<(String, String, String, i64)> = channel::Entity::find()
            .select_only()
            .columns([channel::Column::Account, channel::Column::Kind, channel::Column::Status])
            .column_as(channel::Column::Kind.count(), "count")
            .filter(channel::Column::Account.is_in(names(accounts)))
            .filter(channel::Column::EngineerId.in_subquery(people_on_the_roll()))
            .filter(channel::Column::Status.ne(ConfirmationStatus::NotConfigured.name()))
            .group_by(channel::Column::Account)
            .group_by(channel::Column::Kind)
            .group_by(channel::Column::Status)
            .into_tuple()
            .all(self.reader())
            .await?;
        let mut counts: BTreeMap<String, Vec<ChannelCount>> = BTreeMap::new();
        for (account, kind, status, count) in rows {
            counts.entry(account).or_default().push(read_count(&kind, &status, count)?);
        }
        Ok(counts)
    }

    /// The queues of these accounts by `now`: every one of each, empty ones included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn measure_queues(
        &self,
        accounts: &[AccountId],
        now: DateTime<Utc>,
    ) -> Result<Vec<QueueMeasure>, StoreError> {
        let mut found = BTreeMap::new();
        for (account, phase, count, oldest) in self.count_due_requests(accounts, now).await? {
            let kind = if phase == CANCEL { QueueKind::Cancel } else { QueueKind::HandOver };
            found.insert((account, kind.name()), (count, oldest));
        }
        for (account, count, oldest) in self.count_queued_syncs(accounts).await? {
            found.insert((account, QueueKind::DirectorySync.name()), (count, oldest));
        }
        let measure = |account: &AccountId, kind: QueueKind| {
            let (count, oldest) = found.get(&(account.to_string(), kind.name())).copied().unwrap_or_default();
            QueueMeasure { account: account.clone(), kind, due: u64::try_from(count).unwrap_or(0), oldest }
        };
        Ok(accounts.iter().flat_map(|account| QueueKind::ALL.map(|kind| measure(account, kind))).collect())
    }

    async fn count_due_requests(
        &self,
        accounts: &[AccountId],
        now: DateTime<Utc>,
    ) -> Result<Vec<(String, String, i64, Option<DateTime<Utc>>)>, StoreError> {
        use channel_subscription::Column;
        let to_hand_over = Condition::all().add(Column::Phase.eq(HAND_OVER)).add(is_of_an_active_person());
        Ok(channel_subscription::Entity::find()
            .select_only()
            .columns([Column::Account, Column::Phase])
            .column_as(Column::Id.count(), "count")
            .column_as(Column::NextAttemptAt.min(), "oldest")
            .filter(Column::Account.is_in(names(accounts)))
            .filter(Column::NextAttemptAt.lte(now))
            .filter(Condition::any().add(Column::Phase.eq(CANCEL)).add(to_hand_over))
            .group_by(Column::Account)
            .group_by(Column::Phase)
            .into_tuple()
            .all(self.reader())
            .await?)
    }

    async fn count_queued_syncs(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<(String, i64, Option<DateTime<Utc>>)>, StoreError> {
        use directory_sync::Column;
        Ok(directory_sync::Entity::find()
            .select_only()
            .column(Column::Account)
            .column_as(Column::Id.count(), "count")
            .column_as(Column::CreatedAt.min(), "oldest")
            .filter(Column::Account.is_in(names(accounts)))
            .filter(Column::State.eq(SyncState::Queued.name()))
            .group_by(Column::Account)
            .into_tuple()
            .all(self.reader())
            .await?)
    }

    /// How the confirmation syncs of all accounts and providers stand.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_confirmation_syncs(&self) -> Result<Vec<(AccountId, String, ConfirmationSyncState)>, StoreError> {
        let rows = confirmation_sync::Entity::find().all(self.reader()).await?;
        let read = |row: confirmation_sync::Model| {
            let place = Place { table: "confirmation_sync", id: &row.account };
            let account = place.need("account", row.account.parse().ok())?;
            Ok((account, row.provider.clone(), read_confirmation_sync(row)))
        };
        rows.into_iter().map(read).collect()
    }

    /// Of each directory of these accounts, when its last successful sync began and ended.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_directory_syncs_done(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, String, DateTime<Utc>, DateTime<Utc>)>, StoreError> {
        use directory_sync::Column;
        let done = Condition::all()
            .add(Column::Account.is_in(names(accounts)))
            .add(Column::State.eq(SyncState::Succeeded.name()))
            .add(Column::DryRun.eq(false));
        let newest = directory_sync::Entity::find()
            .select_only()
            .columns([Column::Account, Column::Directory])
            .column_as(Column::FinishedAt.max(), "newest")
            .filter(done.clone())
            .group_by(Column::Account)
            .group_by(Column::Directory)
            .into_query();
        let columns = [Column::Account, Column::Directory, Column::FinishedAt].map(Expr::col);
        let rows: Vec<(String, String, DateTime<Utc>, DateTime<Utc>)> = directory_sync::Entity::find()
            .select_only()
            .columns([Column::Account, Column::Directory])
            .column_as(Column::StartedAt.max(), "began")
            .column_as(Column::FinishedAt.max(), "ended")
            .filter(done)
            .filter(Column::StartedAt.is_not_null())
            .filter(Expr::tuple(columns).in_subquery(newest))
            .group_by(Column::Account)
            .group_by(Column::Directory)
            .into_tuple()
            .all(self.reader())
            .await?;
        let read = |(account, directory, began, ended): (String, String, _, _)| {
            let place = Place { table: "directory_sync", id: &account };
            Ok((place.need("account", account.parse().ok())?, directory, began, ended))
        };
        rows.into_iter().map(read).collect()
    }
}

fn people_on_the_roll() -> SelectStatement {
    engineer::Entity::find()
        .select_only()
        .column(engineer::Column::Id)
        .filter(engineer::Column::DeletedAt.is_null())
        .into_query()
}
