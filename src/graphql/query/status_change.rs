//! The history of confirmations.

use async_graphql::{Context, Object};

use super::filter::StatusChangeFilter;
use crate::graphql::{
    connection::{Connection, PageArgs},
    context::Caller,
    error::Result,
    object::status_change::StatusChanges,
};

/// The history of confirmations.
#[derive(Default)]
pub(in crate::graphql) struct StatusChangeQuery;

#[Object]
impl StatusChangeQuery {
    /// The status changes, newest first. An ENGINEER sees only their own.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments, which clients rely on")]
    async fn status_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only entries after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which changes; all where it is left out.")] filter: Option<StatusChangeFilter>,
    ) -> Result<Connection<StatusChanges>> {
        let caller = Caller::of(ctx)?;
        let filter = filter.unwrap_or_default().judge(caller)?;
        Connection::load(StatusChanges::Wanted(filter), &PageArgs { first, after, last, before }, caller).await
    }
}
