//! The runs of the directory syncs.

use chrono::{DateTime, Utc};
use entity::{directory_sync, directory_sync_outcome};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{Keyset, Queue, Rows, StoreError, engineer::keys, row::Place, tx::ROWS_PER_INSERT};
use crate::domain::{
    id::{AccountId, DirectorySyncId, EngineerId},
    named::named,
};

named! {
    /// How far a run got.
    pub enum SyncState {
        /// Waits for a worker.
        Queued = "QUEUED",
        /// A worker is at it.
        Running = "RUNNING",
        /// Done.
        Succeeded = "SUCCEEDED",
        /// So many would be gone that a person must confirm it. [`SyncCounts::applied`] were changed before.
        NeedsConfirmation = "NEEDS_CONFIRMATION",
        /// The directory could not be read. [`SyncCounts::applied`] were changed before.
        Failed = "FAILED",
    }
}

impl SyncState {
    /// Whether the run has ended.
    pub const fn has_ended(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Succeeded | Self::NeedsConfirmation | Self::Failed => true,
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncWish {
    /// The directory.
    pub directory: String,
    /// Make the plan, change nobody.
    pub dry_run: bool,
    /// Many may be gone.
    pub confirm_removals: bool,
    /// Deleted people come back.
    pub restore_deleted: bool,
    /// The subject who asked; `None` for the schedule.
    pub requested_by: Option<String>,
}

/// Counts of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncCounts {
    /// People to be handled.
    pub total: i32,
    /// People handled.
    pub done: i32,
    /// Added.
    pub added: i32,
    /// Updated.
    pub updated: i32,
    /// Moved here from elsewhere.
    pub moved: i32,
    /// Gone.
    pub gone: i32,
    /// As they were.
    pub unchanged: i32,
    /// Left out.
    pub skipped: i32,
    /// Messages that go out.
    pub messages: i32,
}

impl SyncCounts {
    /// How many people the run has changed so far. What a plan counts as added, updated, moved or gone is not handled until it is
    /// applied.
    pub const fn applied(&self) -> i32 {
        self.done - self.unchanged - self.skipped
    }
}

/// One run of a directory sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRun {
    /// The id.
    pub id: DirectorySyncId,
    /// What was asked for.
    pub wish: SyncWish,
    /// How far it got.
    pub state: SyncState,
    /// The counts.
    pub counts: SyncCounts,
    /// Why it stopped, as a code of a refusal.
    pub failure_code: Option<String>,
    /// The same for an operator.
    pub failure_message: Option<String>,
    /// Fields of the directory that were left out.
    pub unknown_fields: Vec<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// What a run did to whom, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncOutcome {
    /// ADDED, UPDATED, MOVED, GONE, SKIPPED or REFUSED.
    pub outcome: String,
    /// The person, where there is one.
    pub engineer: Option<EngineerId>,
    /// The directory's key of the person.
    pub external_id: Option<String>,
    /// The line in the file.
    pub line: Option<i64>,
    /// Why, as codes.
    pub reasons: Vec<String>,
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// The run of that id.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_sync(&self, id: DirectorySyncId) -> Result<Option<SyncRun>, StoreError> {
        let row = self.syncs().filter(directory_sync::Column::Id.eq(id.0)).one(self.db).await?;
        row.as_ref().map(read_sync).transpose()
    }

    /// The runs of these ids; unknown ids are left out.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_syncs(&self, ids: &[DirectorySyncId]) -> Result<Vec<SyncRun>, StoreError> {
        let rows =
            self.syncs().filter(directory_sync::Column::Id.is_in(ids.iter().map(|id| id.0))).all(self.db).await?;
        rows.iter().map(read_sync).collect()
    }

    /// One page of the runs, newest first.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_syncs(&self, keyset: &Keyset<DirectorySyncId>) -> Result<Vec<SyncRun>, StoreError> {
        let column = directory_sync::Column::Id;
        let rows = keyset.stored(|id| id.0).select(self.db, self.syncs(), column, &Order::Desc).await?;
        rows.iter().map(read_sync).collect()
    }

    /// How many runs there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_syncs(&self) -> Result<u64, StoreError> {
        Ok(self.syncs().count(self.db).await?)
    }

    /// The newest run of a directory that was no dry run.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_last_sync(&self, directory: &str) -> Result<Option<SyncRun>, StoreError> {
        let row = self
            .syncs()
            .filter(directory_sync::Column::Directory.eq(directory))
            .filter(directory_sync::Column::DryRun.eq(false))
            .order_by_desc(directory_sync::Column::Id)
            .one(self.db)
            .await?;
        row.as_ref().map(read_sync).transpose()
    }

    /// How many outcomes of a run are stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_sync_outcomes(&self, sync: DirectorySyncId) -> Result<u64, StoreError> {
        Ok(directory_sync_outcome::Entity::find()
            .filter(directory_sync_outcome::Column::SyncId.eq(sync.0))
            .count(self.db)
            .await?)
    }

    /// One page of the outcomes of a run of this account, in their order, with their places.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_sync_outcomes(
        &self,
        sync: DirectorySyncId,
        keyset: &Keyset<i32>,
    ) -> Result<Vec<(i32, SyncOutcome)>, StoreError> {
        use directory_sync_outcome::Column;
        let list = directory_sync_outcome::Entity::find().filter(Column::SyncId.eq(sync.0));
        let rows = keyset.select(self.db, list, Column::Ordinal, &Order::Asc).await?;
        Ok(rows.into_iter().map(read_outcome).collect())
    }

    fn syncs(&self) -> sea_orm::Select<directory_sync::Entity> {
        directory_sync::Entity::find().filter(directory_sync::Column::Account.eq(self.account.as_str()))
    }

    fn sync_row(&self, run: &SyncRun) -> directory_sync::ActiveModel {
        let counts = run.counts;
        directory_sync::ActiveModel {
            id: Set(run.id.0),
            account: Set(self.account.to_string()),
            directory: Set(run.wish.directory.clone()),
            state: Set(run.state.name().to_owned()),
            dry_run: Set(run.wish.dry_run),
            confirm_removals: Set(run.wish.confirm_removals),
            restore_deleted: Set(run.wish.restore_deleted),
            requested_by: Set(run.wish.requested_by.clone()),
            created_at: Set(run.created_at),
            started_at: Set(run.started_at),
            finished_at: Set(run.finished_at),
            total: Set(counts.total),
            done: Set(counts.done),
            added: Set(counts.added),
            updated: Set(counts.updated),
            moved: Set(counts.moved),
            gone: Set(counts.gone),
            unchanged: Set(counts.unchanged),
            skipped: Set(counts.skipped),
            messages: Set(counts.messages),
            failure_code: Set(run.failure_code.clone()),
            failure_message: Set(run.failure_message.clone()),
            unknown_fields: Set(run.unknown_fields.join("\n")),
        }
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// Adds a run, or writes how far it got.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_sync(&self, run: &SyncRun) -> Result<(), StoreError> {
        use directory_sync::Column;
        let mut on_conflict = OnConflict::column(Column::Id);
        on_conflict.update_columns([
            Column::State,
            Column::StartedAt,
            Column::FinishedAt,
            Column::Total,
            Column::Done,
            Column::Added,
            Column::Updated,
            Column::Moved,
            Column::Gone,
            Column::Unchanged,
            Column::Skipped,
            Column::Messages,
            Column::FailureCode,
            Column::FailureMessage,
            Column::UnknownFields,
        ]);
        directory_sync::Entity::insert(self.sync_row(run))
            .on_conflict(on_conflict)
            .exec_without_returning(self.db)
            .await?;
        Ok(())
    }

    /// Adds outcomes of a run; `first` is the place of the first of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_sync_outcomes(
        &self,
        sync: DirectorySyncId,
        first: usize,
        outcomes: &[SyncOutcome],
    ) -> Result<(), StoreError> {
        let rows: Vec<_> = outcomes.iter().enumerate().map(|(i, one)| outcome_row(sync, first + i, one)).collect();
        for chunk in rows.chunks(ROWS_PER_INSERT) {
            directory_sync_outcome::Entity::insert_many(chunk.to_vec()).exec_without_returning(self.db).await?;
        }
        Ok(())
    }

    /// Takes the names that a directory gave to erased people out of the outcomes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_sync_outcomes_of(&self, engineers: &[EngineerId]) -> Result<(), StoreError> {
        directory_sync_outcome::Entity::update_many()
            .col_expr(directory_sync_outcome::Column::EngineerId, Expr::value(Option::<Uuid>::None))
            .filter(directory_sync_outcome::Column::EngineerId.is_in(keys(engineers)))
            .exec(self.db)
            .await?;
        Ok(())
    }
}

impl Queue<'_> {
    /// The runs that wait, or whose worker died: the oldest first.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_due_syncs(&self) -> Result<Vec<(AccountId, SyncRun)>, StoreError> {
        let rows = directory_sync::Entity::find()
            .filter(directory_sync::Column::State.is_in([SyncState::Queued.name(), SyncState::Running.name()]))
            .order_by_asc(directory_sync::Column::Id)
            .all(self.store.reader())
            .await?;
        rows.iter()
            .map(|row| {
                let place = Place { table: "directory_sync", id: &row.id };
                Ok((place.need("account", row.account.parse().ok())?, read_sync(row)?))
            })
            .collect()
    }
}

fn read_sync(row: &directory_sync::Model) -> Result<SyncRun, StoreError> {
    let place = Place { table: "directory_sync", id: &row.id };
    Ok(SyncRun {
        id: DirectorySyncId(row.id),
        wish: SyncWish {
            directory: row.directory.clone(),
            dry_run: row.dry_run,
            confirm_removals: row.confirm_removals,
            restore_deleted: row.restore_deleted,
            requested_by: row.requested_by.clone(),
        },
        state: place.name("state", &row.state, SyncState::from_name)?,
        counts: SyncCounts {
            total: row.total,
            done: row.done,
            added: row.added,
            updated: row.updated,
            moved: row.moved,
            gone: row.gone,
            unchanged: row.unchanged,
            skipped: row.skipped,
            messages: row.messages,
        },
        failure_code: row.failure_code.clone(),
        failure_message: row.failure_message.clone(),
        unknown_fields: row.unknown_fields.lines().map(str::to_owned).collect(),
        created_at: row.created_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
    })
}

fn outcome_row(sync: DirectorySyncId, place: usize, one: &SyncOutcome) -> directory_sync_outcome::ActiveModel {
    directory_sync_outcome::ActiveModel {
        sync_id: Set(sync.0),
        ordinal: Set(i32::try_from(place).unwrap_or(i32::MAX)),
        outcome: Set(one.outcome.clone()),
        engineer_id: Set(one.engineer.map(|id| id.0)),
        external_id: Set(one.external_id.clone()),
        line: Set(one.line),
        reasons: Set(one.reasons.join(",")),
    }
}

fn read_outcome(row: directory_sync_outcome::Model) -> (i32, SyncOutcome) {
    let reasons = row.reasons.split(',').filter(|reason| !reason.is_empty()).map(str::to_owned).collect();
    let outcome = SyncOutcome {
        outcome: row.outcome,
        engineer: row.engineer_id.map(EngineerId),
        external_id: row.external_id,
        line: row.line,
        reasons,
    };
    (row.ordinal, outcome)
}
