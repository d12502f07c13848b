//! Confirming by code, and running the confirmation sync.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{engineer::show, part, refuse};
use crate::{
    domain::refusal::Refusal,
    graphql::{
        context::Caller,
        error::Result,
        object::{channel::Channel, choice::ChannelKind, engineer::Engineer, user_error::UserError},
        scalar::DateTime,
    },
};

/// Confirming by code, and running the confirmation sync.
#[derive(Default)]
pub(in crate::graphql) struct ConfirmationMutation;

/// A code from a confirmation message.
#[derive(InputObject)]
pub(in crate::graphql) struct ConfirmChannelInput {
    /// Whose channel.
    engineer_id: ID,
    /// Which channel.
    channel: ChannelKind,
    /// The code of the message, as typed.
    code: String,
}

/// A wish for a confirmation sync.
#[derive(InputObject)]
pub(in crate::graphql) struct RefreshConfirmationsInput {
    /// Any text, which the payload hands back unchanged. Nothing else can be said of a confirmation sync.
    client_mutation_id: Option<String>,
}

/// What came of a code.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ConfirmChannelPayload {
    /// The engineer as they are now; null where the code was refused.
    engineer: Option<Engineer>,
    /// The channel as it is now; null where the code was refused.
    channel: Option<Channel>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// How the confirmation sync of an account stands.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ConfirmationSync {
    /// When the run was asked for that has not begun yet; null where none waits.
    wanted_at: Option<DateTime>,
    /// When the last run began.
    started_at: Option<DateTime>,
    /// When the last complete run began: statuses are as of then.
    completed_at: Option<DateTime>,
}

/// What came of asking for a confirmation sync.
#[derive(SimpleObject)]
pub(in crate::graphql) struct RefreshConfirmationsPayload {
    /// How the confirmation sync stands; null where it was refused. A worker runs it at once.
    confirmation_sync: Option<ConfirmationSync>,
    /// The text that the input gave.
    client_mutation_id: Option<String>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl ConfirmationMutation {
    /// Confirms a channel by the code that its person reads out or types in. After five wrong codes the message is worthless.
    async fn confirm_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code, and for which channel.")] input: ConfirmChannelInput,
    ) -> Result<ConfirmChannelPayload> {
        let caller = Caller::of(ctx)?;
        let Ok(id) = input.engineer_id.parse() else {
            let user_errors = refuse(Refusal::not_found("engineer").at(&["engineerId"]), caller.locale);
            return Ok(ConfirmChannelPayload { engineer: None, channel: None, user_errors });
        };
        let kind = input.channel.into();
        let confirmed = caller.services.confirm_channel(caller.actor, id, kind, &input.code).await;
        let (engineer, user_errors) = show(caller, part(confirmed, caller.locale)?.map(Some));
        let channel = match &engineer {
            Some(engineer) => Some(engineer.find_channel(kind).await?),
            None => None,
        };
        Ok(ConfirmChannelPayload { engineer, channel, user_errors })
    }

    /// Runs the confirmation sync now instead of at its next time.
    async fn refresh_confirmations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The wish.")] input: RefreshConfirmationsInput,
    ) -> Result<RefreshConfirmationsPayload> {
        let caller = Caller::of(ctx)?;
        let client_mutation_id = input.client_mutation_id;
        let wished = caller.services.refresh_confirmations(caller.actor).await;
        if let Err(user_errors) = part(wished, caller.locale)? {
            return Ok(RefreshConfirmationsPayload { confirmation_sync: None, client_mutation_id, user_errors });
        }
        let provider = caller.services.account(caller.account())?.provider.name();
        let state = caller.store().rows(caller.account()).get_confirmation_sync(provider).await?;
        let confirmation_sync = ConfirmationSync {
            wanted_at: state.wanted_at.map(DateTime),
            started_at: state.started_at.map(DateTime),
            completed_at: state.completed_at.map(DateTime),
        };
        let user_errors = Vec::new();
        Ok(RefreshConfirmationsPayload { confirmation_sync: Some(confirmation_sync), client_mutation_id, user_errors })
    }
}
