//! What was answered to a mutation that was sent with a key. One row, or one for each part of what was done in parts.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_key")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// The keyed hash of subject, mutation and key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// 0, and from 1 on for each part.
    #[sea_orm(primary_key, auto_increment = false)]
    pub part: i32,
    /// The keyed hash of the input.
    pub input: String,
    /// What is needed to answer again: ids and outcomes, as JSON.
    pub answer: String,
    /// When the key may be used anew; the same for all parts.
    pub expires_at: DateTimeUtc,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
