//! The accounts and the heads of their event logs.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    /// The key of the account in the configuration.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The position of the last committed event.
    pub position: i64,
    /// Events up to here were pruned.
    pub pruned_to: i64,
    /// The log's identity; a restored backup gets another.
    pub epoch: Uuid,
    /// When the account was first seen.
    pub created_at: DateTimeUtc,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
