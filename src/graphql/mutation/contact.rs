//! Showing contact data on the record.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{part, refuse};
use crate::{
    domain::refusal::Refusal,
    graphql::{
        context::Caller,
        error::Result,
        loader::Mates,
        object::{choice::ChannelKind, engineer::Engineer, user_error::UserError},
    },
    service::reveal_contact::RevealContact,
};

/// Showing contact data on the record.
#[derive(Default)]
pub(in crate::graphql) struct ContactMutation;

/// What to show of whom.
#[derive(InputObject)]
pub(in crate::graphql) struct RevealContactInput {
    /// Whose channel.
    engineer_id: ID,
    /// Which channel: SMS or VOICE for the mobile, EMAIL for the e-mail address. A chat robot's webhook is never shown.
    channel: ChannelKind,
    /// Why, for the audit log: 1 to 500 characters, such as "called about the outage of 24 November".
    reason: String,
}

/// What is shown.
#[derive(SimpleObject)]
pub(in crate::graphql) struct RevealContactPayload {
    /// Where the channel ends, in clear; null where it was refused.
    endpoint: Option<String>,
    /// Whose channel it is; null where it was refused.
    engineer: Option<Engineer>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl ContactMutation {
    /// Shows where a channel ends, in clear, and records who asked and why before it does. Only for an ADMIN.
    async fn reveal_contact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to show of whom, and why.")] input: RevealContactInput,
    ) -> Result<RevealContactPayload> {
        let caller = Caller::of(ctx)?;
        let nothing = |user_errors| RevealContactPayload { endpoint: None, engineer: None, user_errors };
        let Ok(engineer) = input.engineer_id.parse() else {
            return Ok(nothing(refuse(Refusal::not_found("engineer").at(&["engineerId"]), caller.locale)));
        };
        let wish = RevealContact { engineer, channel: input.channel.into(), reason: input.reason };
        Ok(match part(caller.services.reveal_contact(caller.actor, &wish).await, caller.locale)? {
            Ok(revealed) => RevealContactPayload {
                endpoint: Some(revealed.endpoint),
                engineer: Some(Mates::alone(caller.services, caller.account(), revealed.engineer)),
                user_errors: Vec::new(),
            },
            Err(user_errors) => nothing(user_errors),
        })
    }
}
