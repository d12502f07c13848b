//! The channels of the engineers. A missing row is a channel without an endpoint.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channel")]
pub struct Model {
    /// Whose channel.
    #[sea_orm(primary_key, auto_increment = false)]
    pub engineer_id: Uuid,
    /// Which channel.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The account.
    pub account: String,
    /// The confirmation status.
    pub status: String,
    /// The present request.
    pub generation: Option<Uuid>,
    /// When it was asked for.
    pub requested_at: Option<DateTimeUtc>,
    /// When it may be handed over.
    pub due_at: Option<DateTimeUtc>,
    /// When the link dies.
    pub expires_at: Option<DateTimeUtc>,
    /// When the person confirmed.
    pub confirmed_at: Option<DateTimeUtc>,
    /// Why the provider refused.
    pub failure_code: Option<String>,
    /// The sealed webhook of a chat robot.
    pub webhook_sealed: Option<String>,
    /// Its host and last characters.
    pub webhook_masked: Option<String>,
    /// The sealed signing secret of a chat robot.
    pub secret_sealed: Option<String>,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
