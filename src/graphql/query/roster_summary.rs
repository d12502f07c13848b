//! Counts over the roll.

use async_graphql::{Context, Object};

use crate::{
    domain::actor::Permission,
    graphql::{context::Caller, error::Result, object::roster_summary::RosterSummary},
};

/// Counts over the roll.
#[derive(Default)]
pub(in crate::graphql) struct RosterSummaryQuery;

#[Object]
impl RosterSummaryQuery {
    /// Counts over the whole roll. Not for an ENGINEER.
    async fn roster_summary(&self, ctx: &Context<'_>) -> Result<RosterSummary> {
        let caller = Caller::of(ctx)?;
        caller.actor.require(Permission::ViewRoll)?;
        RosterSummary::count(caller.services, caller.account()).await
    }
}
