//! The runs of the directory syncs. A row in QUEUED or RUNNING is work.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "directory_sync")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The account.
    pub account: String,
    /// The directory.
    pub directory: String,
    /// How far the run got.
    pub state: String,
    /// Plan only.
    pub dry_run: bool,
    /// A person confirmed that many may be gone.
    pub confirm_removals: bool,
    /// Deleted people come back.
    pub restore_deleted: bool,
    /// Who asked; null for the schedule.
    pub requested_by: Option<String>,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// When it began.
    pub started_at: Option<DateTimeUtc>,
    /// When it ended.
    pub finished_at: Option<DateTimeUtc>,
    /// How many people are to be handled.
    pub total: i32,
    /// How many of them are.
    pub done: i32,
    /// People added.
    pub added: i32,
    /// People updated.
    pub updated: i32,
    /// People moved here.
    pub moved: i32,
    /// People gone.
    pub gone: i32,
    /// People as they were.
    pub unchanged: i32,
    /// Entries left out.
    pub skipped: i32,
    /// Messages that go out.
    pub messages: i32,
    /// Why it stopped.
    pub failure_code: Option<String>,
    /// The same for an operator.
    pub failure_message: Option<String>,
    /// Fields of the directory that were left out, as JSON.
    pub unknown_fields: String,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
