//! Which person a directory identity belongs or belonged to.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "directory_identity")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// The directory.
    #[sea_orm(primary_key, auto_increment = false)]
    pub directory: String,
    /// The directory's key of the person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    /// The person; null once erased.
    pub engineer_id: Option<Uuid>,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
