//! What a bulk mutation did to each thing that it was asked about.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    choice::{ChannelKind, ConfirmationStatus},
    engineer::Engineer,
    user_error::UserError,
};
use crate::{
    domain::id::EngineerId,
    graphql::{context::Caller, error::Result, loader::People},
};

/// What was done to one engineer.
#[derive(SimpleObject)]
pub(in crate::graphql) struct EngineerOutcome {
    /// The id, as it was given.
    pub engineer_id: ID,
    /// Why nothing was done; null where it was.
    pub user_error: Option<UserError>,
}

/// What was done to one channel.
pub(in crate::graphql) struct ChannelOutcome {
    pub engineer_id: ID,
    /// The same as the domain knows it; `None` where it is no id.
    pub key: Option<EngineerId>,
    pub channel: ChannelKind,
    pub status: ConfirmationStatus,
    pub user_error: Option<UserError>,
    pub people: Arc<People>,
}

/// What was done to one channel.
#[Object]
impl ChannelOutcome {
    /// Whose channel, as the id was given.
    async fn engineer_id(&self) -> &ID {
        &self.engineer_id
    }

    /// The same, as they are now; null where there is no such engineer.
    async fn engineer(&self, ctx: &Context<'_>) -> Option<Result<Engineer>> {
        let key = self.key?;
        match Caller::of(ctx) {
            Ok(caller) if caller.actor.can_view(key) => self.people.find(key).await.transpose(),
            Ok(_) => None,
            Err(fault) => Some(Err(fault)),
        }
    }

    /// Which channel.
    async fn channel(&self) -> ChannelKind {
        self.channel
    }

    /// How the channel stands now.
    async fn status(&self) -> ConfirmationStatus {
        self.status
    }

    /// Why nothing was done; null where it was.
    async fn user_error(&self) -> Option<&UserError> {
        self.user_error.as_ref()
    }
}
