//! The roll.

use async_graphql::{Context, ID, Object};

use super::filter::{EngineerFilter, EngineerOrder};
use crate::graphql::{
    connection::{Connection, PageArgs},
    context::Caller,
    error::Result,
    node::find_engineer,
    object::engineer::{Engineer, Engineers},
};

/// The roll.
#[derive(Default)]
pub(in crate::graphql) struct EngineerQuery;

#[Object]
impl EngineerQuery {
    /// The engineer with that id; null where there is none, or none that the caller may know of.
    async fn engineer(&self, ctx: &Context<'_>, #[graphql(desc = "The id.")] id: ID) -> Option<Result<Engineer>> {
        find_engineer(ctx, id.parse().ok()?).await.transpose()
    }

    /// The roll. An ENGINEER sees only themself.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments, which clients rely on")]
    async fn engineers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only entries after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which engineers; everyone where it is left out.")] filter: Option<EngineerFilter>,
        #[graphql(desc = "In which order; by name where it is left out.")] order_by: Option<EngineerOrder>,
    ) -> Result<Connection<Engineers>> {
        let caller = Caller::of(ctx)?;
        let listing =
            Engineers { filter: filter.unwrap_or_default().judge(caller)?, order: EngineerOrder::judge(order_by) };
        Connection::load(listing, &PageArgs { first, after, last, before }, caller).await
    }
}
