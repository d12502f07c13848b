//! Anything by its id.

use async_graphql::{Context, ID, Object};

use crate::graphql::{
    error::{Fault, Result},
    node::{self, Node},
};

/// The most ids of one call of `nodes`.
const MAX_IDS: usize = 100;

/// Anything by its id.
#[derive(Default)]
pub(in crate::graphql) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with that id; null where there is none, or none that the caller may know of.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The id.")] id: ID) -> Option<Result<Node>> {
        node::find(ctx, &id).await.transpose()
    }

    /// The objects with these ids, in their order; null for each where there is none, or none that the caller may know of.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MAX_IDS {
            return Err(Fault::bad_input(format!("ids has {} entries; {MAX_IDS} are allowed.", ids.len())));
        }
        let texts: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
        let found = node::find_many(ctx, &texts).await?;
        Ok(texts.iter().map(|text| found.get(text).cloned()).collect())
    }
}
