//! The API keys.

use async_graphql::{Context, Object};

use crate::{
    domain::actor::Permission,
    graphql::{
        connection::{Connection, PageArgs},
        context::Caller,
        error::Result,
        object::api_key::ApiKeys,
    },
};

/// The API keys.
#[derive(Default)]
pub(in crate::graphql) struct ApiKeyQuery;

#[Object]
impl ApiKeyQuery {
    /// The API keys of the account, newest first, expired and revoked ones included. Only for an ADMIN.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments, which clients rely on")]
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only entries after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ApiKeys>> {
        let caller = Caller::of(ctx)?;
        caller.actor.require(Permission::ManageApiKeys)?;
        Connection::load(ApiKeys, &PageArgs { first, after, last, before }, caller).await
    }
}
