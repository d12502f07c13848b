//! What is remembered of an endpoint of an account: recent requests and an opt-out.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "endpoint_guard")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// The keyed hash of the endpoint.
    #[sea_orm(primary_key, auto_increment = false)]
    pub endpoint_key: String,
    /// When the person behind it opted out.
    pub opted_out_at: Option<DateTimeUtc>,
    /// The recent requests, as JSON.
    pub requests: String,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
