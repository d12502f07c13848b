//! The event log.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// The place in the account's log.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// The id in the API.
    #[sea_orm(unique)]
    pub id: Uuid,
    /// When it happened.
    pub occurred_at: DateTimeUtc,
    /// STATUS_CHANGED, ENGINEER_CHANGED, ROLL_CHANGED or SYNC_PROGRESSED.
    pub kind: String,
    /// The engineer concerned.
    pub engineer_id: Option<Uuid>,
    /// The channel concerned.
    pub channel: Option<String>,
    /// The status that was left.
    pub status_from: Option<String>,
    /// The status that was reached.
    pub status_to: Option<String>,
    /// Why the status changed.
    pub cause: Option<String>,
    /// How the engineer changed.
    pub change: Option<String>,
    /// The directory sync concerned.
    pub sync_id: Option<Uuid>,
    /// How many people a bulk run changed.
    pub count: Option<i32>,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
