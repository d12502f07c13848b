//! What a run did to whom, and why.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "directory_sync_outcome")]
pub struct Model {
    /// The run.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sync_id: Uuid,
    /// The place in the run.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ordinal: i32,
    /// ADDED, UPDATED, MOVED, GONE, SKIPPED or REFUSED.
    pub outcome: String,
    /// The person, where there is one.
    pub engineer_id: Option<Uuid>,
    /// The directory's key of the person.
    pub external_id: Option<String>,
    /// The line in the file.
    pub line: Option<i64>,
    /// Why, as codes separated by commas.
    pub reasons: String,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
