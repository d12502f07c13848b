//! Who runs a periodic loop.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lease")]
pub struct Model {
    /// The loop.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The process.
    pub owner: String,
    /// Grows with each new owner.
    pub fence: i64,
    /// Until when.
    pub until: DateTimeUtc,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
