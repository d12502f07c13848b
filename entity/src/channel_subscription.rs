//! The requests to confirm a channel: one row a generation. The rows are the queue.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channel_subscription")]
pub struct Model {
    /// The generation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The account.
    pub account: String,
    /// Whose channel.
    pub engineer_id: Uuid,
    /// Which channel.
    pub kind: String,
    /// Who is asked to ask.
    pub provider: String,
    /// The provider's name of the request.
    pub reference: Option<String>,
    /// The sealed endpoint, kept until nothing needs it.
    pub endpoint_sealed: Option<String>,
    /// The keyed hash of the endpoint.
    pub endpoint_key: String,
    /// When it was asked for.
    pub requested_at: DateTimeUtc,
    /// What is to be done: HAND_OVER, HELD, CANCEL or CLOSED.
    pub phase: String,
    /// When it was retired.
    pub retired_at: Option<DateTimeUtc>,
    /// When a complete listing first lacked it.
    pub missing_since: Option<DateTimeUtc>,
    /// How often the work was tried.
    pub attempts: i32,
    /// When the work is due.
    pub next_attempt_at: DateTimeUtc,
    /// Who works on it.
    pub claimed_by: Option<String>,
    /// Until when.
    pub claimed_until: Option<DateTimeUtc>,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
