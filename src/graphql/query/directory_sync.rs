//! Directory syncs.

use async_graphql::{Context, ID, Object};

use crate::{
    domain::actor::Permission,
    graphql::{
        connection::{Connection, PageArgs},
        context::Caller,
        error::Result,
        node::find_sync,
        object::directory_sync::{DirectorySync, DirectorySyncs},
    },
};

/// Directory syncs.
#[derive(Default)]
pub(in crate::graphql) struct DirectorySyncQuery;

#[Object]
impl DirectorySyncQuery {
    /// The directory sync with that id; null where there is none, or none that the caller may know of.
    async fn directory_sync(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> Option<Result<DirectorySync>> {
        let id = id.parse().ok()?;
        match Caller::of(ctx) {
            Ok(caller) => find_sync(caller, id).await.transpose(),
            Err(fault) => Some(Err(fault)),
        }
    }

    /// The directory syncs, newest first. Not for an ENGINEER.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments, which clients rely on")]
    async fn directory_syncs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only entries after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before this cursor.")] before: Option<String>,
    ) -> Result<Connection<DirectorySyncs>> {
        let caller = Caller::of(ctx)?;
        caller.actor.require(Permission::ViewRoll)?;
        Connection::load(DirectorySyncs, &PageArgs { first, after, last, before }, caller).await
    }
}
