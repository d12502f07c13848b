//! How the confirmation sync of an account stands.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "confirmation_sync")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// The provider that is listed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    /// When a person asked for a run that has not begun.
    pub wanted_at: Option<DateTimeUtc>,
    /// When the last run began.
    pub started_at: Option<DateTimeUtc>,
    /// When the last complete run began: statuses are as of then.
    pub completed_at: Option<DateTimeUtc>,
    /// When the last complete run ended.
    pub finished_at: Option<DateTimeUtc>,
    /// How many requests the last complete listing lacked.
    pub missing: i32,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
