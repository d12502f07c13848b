//! The audit log: what was done, or refused, to whom, by whom.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entry")]
pub struct Model {
    /// Grows with each entry, over all accounts.
    #[sea_orm(primary_key)]
    pub number: i64,
    /// The key.
    #[sea_orm(unique)]
    pub id: Uuid,
    /// The account.
    pub account: String,
    /// When.
    pub occurred_at: DateTimeUtc,
    /// What showed who they are.
    pub actor_kind: String,
    /// Who.
    pub actor_subject: String,
    /// Their roles, with spaces between them.
    pub actor_roles: String,
    /// What.
    pub action: String,
    /// The kind of what it was done to.
    pub target_kind: Option<String>,
    /// The public id of what it was done to.
    pub target_id: Option<String>,
    /// Done or refused.
    pub outcome: String,
    /// The code of the refusal.
    pub error_code: Option<String>,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// What changed, as it was: a JSON object of texts, contact data masked.
    pub masked_before: Option<String>,
    /// The same as it is now.
    pub masked_after: Option<String>,
    /// The request.
    pub request_id: Option<Uuid>,
    /// The client's address.
    pub client_address: Option<String>,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
