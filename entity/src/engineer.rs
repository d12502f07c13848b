//! The people on the roll.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "engineer")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The account.
    pub account: String,
    /// The user name.
    pub name: String,
    /// What people call them.
    pub alias: Option<String>,
    /// The name folded for ordering and search.
    pub name_key: String,
    /// The alias folded for ordering and search; empty without an alias.
    pub alias_key: String,
    /// The kind of user.
    pub user_type: String,
    /// The identity provider of a federated user.
    pub identity_provider: Option<String>,
    /// The directory; null for people added by hand.
    pub directory: Option<String>,
    /// The directory's key of the person.
    pub external_id: Option<String>,
    /// What the directory says.
    pub directory_state: String,
    /// The language of messages.
    pub locale: Option<String>,
    /// E.164.
    pub mobile: Option<String>,
    /// The e-mail address as typed.
    pub email: Option<String>,
    /// The e-mail address folded for search and matching.
    pub email_key: Option<String>,
    /// The alias was set once.
    pub alias_touched: bool,
    /// The mobile was set once.
    pub mobile_touched: bool,
    /// The e-mail address was set once.
    pub email_touched: bool,
    /// Counts edits.
    pub version: i32,
    /// When they came onto the roll.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
    /// When a directory sync last saw them.
    pub synced_at: Option<DateTimeUtc>,
    /// When they were deleted.
    pub deleted_at: Option<DateTimeUtc>,
    /// When a deleted person is erased.
    pub erase_at: Option<DateTimeUtc>,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
