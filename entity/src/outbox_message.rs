//! What the outbox transport would have sent. For demonstration and development.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox_message")]
pub struct Model {
    /// Names the message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_id: String,
    /// The account.
    pub account: String,
    /// The channel.
    pub channel: String,
    /// The endpoint.
    pub endpoint: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The link in it.
    pub link: String,
    /// The code in it.
    pub code: String,
    /// When it was sent.
    pub sent_at: DateTimeUtc,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
