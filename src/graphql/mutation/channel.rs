//! Subscribing and cancelling channels.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    ids::{GivenId, GivenIds},
    once::read_once,
    part, refuse,
};
use crate::{
    domain::{
        channel,
        endpoint::Reason,
        refusal::{Refusal, RefusalCode},
    },
    graphql::{
        context::Caller,
        error::Result,
        loader::People,
        node::id,
        object::{
            choice::{ChannelKind, ConfirmationStatus},
            outcome::ChannelOutcome,
            user_error::UserError,
        },
        query::filter::EngineerFilter,
    },
    service::{
        ServiceError,
        cancel_channels::CancelChannels,
        subscribe_channels::{self, SubscribeChannels, Whom},
    },
};

/// Subscribing and cancelling channels.
#[derive(Default)]
pub(in crate::graphql) struct ChannelMutation;

/// Which channels to subscribe. Give engineerIds or filter, not both.
#[derive(InputObject)]
pub(in crate::graphql) struct SubscribeChannelsInput {
    /// Whose, at most 1,000.
    engineer_ids: Option<Vec<ID>>,
    /// Those of everyone who is wanted.
    filter: Option<EngineerFilter>,
    /// Which channels; all that can be subscribed where it is left out.
    channels: Option<Vec<ChannelKind>>,
    /// Ask also where the person behind the endpoint opted out. Not for an ENGINEER.
    #[graphql(default = false)]
    lift_opt_out: bool,
    /// A text of the caller's own, such as a UUID: 1 to 255 characters. Sent again within 24 hours by the same caller, with the same
    /// input, the mutation is answered again and not done again.
    idempotency_key: Option<String>,
}

/// Which channels to cancel. Give engineerIds or filter, not both.
#[derive(InputObject)]
pub(in crate::graphql) struct CancelChannelsInput {
    /// Whose, at most 1,000.
    engineer_ids: Option<Vec<ID>>,
    /// Those of everyone who is wanted.
    filter: Option<EngineerFilter>,
    /// Which channels; all that can be cancelled where it is left out.
    channels: Option<Vec<ChannelKind>>,
}

/// What came of subscribing.
#[derive(SimpleObject)]
pub(in crate::graphql) struct SubscribeChannelsPayload {
    /// What was done to each channel. Where channels was left out, only those that were asked for.
    outcomes: Vec<ChannelOutcome>,
    /// Why nothing was done at all. What concerns one channel is in outcomes.
    user_errors: Vec<UserError>,
}

/// What came of cancelling.
#[derive(SimpleObject)]
pub(in crate::graphql) struct CancelChannelsPayload {
    /// What was done to each channel. Where channels was left out, only those that were cancelled.
    outcomes: Vec<ChannelOutcome>,
    /// Why nothing was done at all. What concerns one channel is in outcomes.
    user_errors: Vec<UserError>,
}

#[Object]
impl ChannelMutation {
    /// Asks people to confirm channels, for the first time or again. What the resend limits or the state of the channel do not
    /// allow is refused channel by channel. An ENGINEER subscribes only their own.
    async fn subscribe_channels(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channels.")] input: SubscribeChannelsInput,
    ) -> Result<SubscribeChannelsPayload> {
        let caller = Caller::of(ctx)?;
        let refuse = |user_errors| Ok(SubscribeChannelsPayload { outcomes: Vec::new(), user_errors });
        let once = match read_once(ctx, caller, input.idempotency_key.as_deref())? {
            Ok(once) => once,
            Err(user_errors) => return refuse(user_errors),
        };
        let channels = read_channels(input.channels);
        let given = match Given::read(caller, input.engineer_ids, input.filter)? {
            Ok(given) => given,
            Err(user_errors) => return refuse(user_errors),
        };
        let wish =
            SubscribeChannels { whom: given.whom(), channels: channels.clone(), lift_opt_out: input.lift_opt_out };
        let done = caller.services.subscribe_channels(caller.actor, wish, once.as_ref()).await;
        let (outcomes, user_errors) = given.report(caller, channels.as_deref(), done)?;
        Ok(SubscribeChannelsPayload { outcomes, user_errors })
    }

    /// Takes channels back to UNSUBSCRIBED and cancels them at the provider. An ENGINEER cancels only their own.
    async fn cancel_channels(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channels.")] input: CancelChannelsInput,
    ) -> Result<CancelChannelsPayload> {
        let caller = Caller::of(ctx)?;
        let channels = read_channels(input.channels);
        let given = match Given::read(caller, input.engineer_ids, input.filter)? {
            Ok(given) => given,
            Err(user_errors) => return Ok(CancelChannelsPayload { outcomes: Vec::new(), user_errors }),
        };
        let wish = CancelChannels { whom: given.whom(), channels: channels.clone() };
        let done = caller.services.cancel_channels(caller.actor, wish).await;
        let (outcomes, user_errors) = given.report(caller, channels.as_deref(), done)?;
        Ok(CancelChannelsPayload { outcomes, user_errors })
    }
}

fn read_channels(channels: Option<Vec<ChannelKind>>) -> Option<Vec<channel::ChannelKind>> {
    let mut channels: Vec<_> = channels?.into_iter().map(channel::ChannelKind::from).collect();
    channels.sort_unstable();
    channels.dedup();
    Some(channels)
}

/// Whose channels are meant.
enum Given {
    Ids(GivenIds),
    Filter(crate::store::EngineerFilter),
}

impl Given {
    fn read(
        caller: Caller<'_>,
        ids: Option<Vec<ID>>,
        filter: Option<EngineerFilter>,
    ) -> Result<Result<Self, Vec<UserError>>> {
        match (ids, filter) {
            (Some(ids), None) => {
                Ok(GivenIds::read("engineerIds", ids).map(Self::Ids).map_err(|it| refuse(it, caller.locale)))
            }
            (None, Some(filter)) => Ok(Ok(Self::Filter(filter.judge(caller)?))),
            (Some(_), Some(_)) | (None, None) => {
                let refusal = Refusal::new(RefusalCode::InvalidValue).because(Reason::IdsOrFilter);
                Ok(Err(refuse(refusal.at(&["engineerIds"]), caller.locale)))
            }
        }
    }

    fn whom(&self) -> Whom {
        match self {
            Self::Ids(ids) => Whom::Ids(ids.keys()),
            Self::Filter(filter) => Whom::Filter(filter.clone()),
        }
    }

    fn report(
        &self,
        caller: Caller<'_>,
        channels: Option<&[channel::ChannelKind]>,
        done: Result<Vec<subscribe_channels::ChannelOutcome>, ServiceError>,
    ) -> Result<(Vec<ChannelOutcome>, Vec<UserError>)> {
        let done = match part(done, caller.locale)? {
            Ok(done) => done,
            Err(user_errors) => return Ok((Vec::new(), user_errors)),
        };
        let show = Show { caller, people: people(caller, &done) };
        let outcomes = match self {
            Self::Ids(ids) => show.by_ids(ids, channels, done),
            Self::Filter(_) => done.into_iter().map(|outcome| show.one(id(outcome.engineer), outcome)).collect(),
        };
        Ok((outcomes, Vec::new()))
    }
}

fn people(caller: Caller<'_>, done: &[subscribe_channels::ChannelOutcome]) -> Arc<People> {
    People::named(caller.services, caller.account(), done.iter().map(|outcome| outcome.engineer))
}

/// Shows outcomes to the caller.
struct Show<'a> {
    caller: Caller<'a>,
    people: Arc<People>,
}

impl Show<'_> {
    fn one(&self, engineer_id: ID, outcome: subscribe_channels::ChannelOutcome) -> ChannelOutcome {
        ChannelOutcome {
            engineer_id,
            key: Some(outcome.engineer),
            channel: outcome.channel.into(),
            status: outcome.status.into(),
            user_error: outcome.refusal.map(|refusal| UserError::new(refusal, self.caller.locale)),
            people: Arc::clone(&self.people),
        }
    }

    /// The outcomes in the order of the ids, with those of what is no id.
    fn by_ids(
        &self,
        ids: &GivenIds,
        channels: Option<&[channel::ChannelKind]>,
        done: Vec<subscribe_channels::ChannelOutcome>,
    ) -> Vec<ChannelOutcome> {
        let mut of_one: HashMap<_, Vec<_>> = HashMap::new();
        for outcome in done {
            of_one.entry(outcome.engineer).or_default().push(outcome);
        }
        let mut all = Vec::new();
        for given in ids.iter() {
            let Some(key) = given.key else {
                all.extend(self.no_id(ids, given, channels));
                continue;
            };
            for mut outcome in of_one.remove(&key).unwrap_or_default() {
                let unknown = |refusal: &Refusal| refusal.code == RefusalCode::NotFound;
                if let Some(refusal) = outcome.refusal.take_if(|refusal| unknown(refusal)) {
                    outcome.refusal = Some(ids.at(given, refusal));
                }
                all.push(self.one(given.id.clone(), outcome));
            }
        }
        all
    }

    /// What is no id gets what an unknown one gets.
    fn no_id(&self, ids: &GivenIds, given: &GivenId, channels: Option<&[channel::ChannelKind]>) -> Vec<ChannelOutcome> {
        let refusal = ids.at(given, Refusal::not_found("engineer"));
        let outcome = |kind: &channel::ChannelKind| ChannelOutcome {
            engineer_id: given.id.clone(),
            key: None,
            channel: (*kind).into(),
            status: ConfirmationStatus::NotConfigured,
            user_error: Some(UserError::new(refusal.clone(), self.caller.locale)),
            people: Arc::clone(&self.people),
        };
        channels.unwrap_or(&[channel::ChannelKind::Sms]).iter().map(outcome).collect()
    }
}
