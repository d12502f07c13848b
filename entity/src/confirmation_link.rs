//! The links and codes of the built-in provider, and the consent records.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "confirmation_link")]
pub struct Model {
    /// The generation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub generation: Uuid,
    /// The account.
    pub account: String,
    /// Whose channel.
    pub engineer_id: Uuid,
    /// Which channel.
    pub kind: String,
    /// SHA-256 of the link's token; null once the link is dead.
    #[sea_orm(unique)]
    pub token_hash: Option<String>,
    /// The keyed hash of the code.
    pub code_hash: String,
    /// How many wrong codes were typed.
    pub wrong_codes: i32,
    /// When the link dies.
    pub expires_at: DateTimeUtc,
    /// When the message was handed to the transport.
    pub sent_at: Option<DateTimeUtc>,
    /// CONFIRMED or OPTED_OUT.
    pub answer: Option<String>,
    /// LINK or CODE.
    pub answered_via: Option<String>,
    /// When it was answered.
    pub answered_at: Option<DateTimeUtc>,
    /// What was shown when it was answered, as JSON.
    pub shown: Option<String>,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
