//! Who asks.

use async_graphql::{Context, Object, SimpleObject};

use super::{
    choice::{Permission, Role},
    engineer::Engineer,
};
use crate::{
    domain::actor,
    graphql::{context::Caller, error::Result, node::find_engineer, scalar::DateTime},
};

/// The caller.
pub(in crate::graphql) struct Viewer;

/// An organisation with a roll of its own. A caller works in one and never sees another.
#[derive(SimpleObject)]
pub(in crate::graphql) struct Account {
    /// The account's key in the configuration.
    id: async_graphql::ID,
    /// The organisation's name.
    name: String,
}

/// The caller: who they are and what they may do.
#[Object]
impl Viewer {
    /// The subject of the token; for an API key, its id.
    async fn subject<'a>(&self, ctx: &Context<'a>) -> Result<&'a str> {
        Ok(&Caller::of(ctx)?.actor.subject)
    }

    /// The account that the caller works in.
    async fn account(&self, ctx: &Context<'_>) -> Result<Account> {
        let caller = Caller::of(ctx)?;
        let settings = &caller.services.account(caller.account())?.settings;
        Ok(Account { id: async_graphql::ID(settings.id.to_string()), name: settings.name.clone() })
    }

    /// The roles of the token, or the role of the API key.
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<Role>> {
        Ok(Caller::of(ctx)?.actor.roles.iter().map(|role| Role::from(*role)).collect())
    }

    /// What the roles allow over the whole roll. What an ENGINEER may do to themself is not among it.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Permission>> {
        let actor = Caller::of(ctx)?.actor;
        Ok(actor::Permission::ALL.into_iter().filter(|it| actor.may(*it)).map(Permission::from).collect())
    }

    /// Who the caller is on the roll, for the role ENGINEER.
    async fn engineer(&self, ctx: &Context<'_>) -> Option<Result<Engineer>> {
        let id = match Caller::of(ctx) {
            Ok(caller) => caller.actor.engineer?,
            Err(fault) => return Some(Err(fault)),
        };
        find_engineer(ctx, id).await.transpose()
    }

    /// When the token or API key is no longer accepted; null for a key that stays good until it is revoked.
    async fn token_expires_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(Caller::of(ctx)?.actor.expires_at.map(DateTime))
    }
}
