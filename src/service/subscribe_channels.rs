//! Asking people to confirm their channels, one or many at a time.

use std::collections::{BTreeSet, HashMap};

use super::{CHUNK, ServiceError, Services, batch::Batch};
use crate::{
    domain::{
        actor::{Actor, Permission, Sight},
        audit::{AuditAction, AuditRecord},
        channel::ChannelKind,
        confirmation::{Channel, ConfirmationStatus, Happening, Origin},
        engineer::NotSubscribableReason,
        id::EngineerId,
        once::Once,
        refusal::{Refusal, RefusalCode},
        resend::EndpointGuard,
    },
    store::{EngineerFilter, Tx},
};

/// Whose channels.
#[derive(Debug, Clone)]
pub enum Whom {
    /// These people's.
    Ids(Vec<EngineerId>),
    /// Those of everyone who is wanted.
    Filter(EngineerFilter),
}

impl Whom {
    /// The entry of the audit log for what concerns all of them.
    pub(super) fn of_all(&self, record: &AuditRecord) -> AuditRecord {
        match self {
            Self::Ids(ids) => record.on_only(ids),
            Self::Filter(_) => record.clone(),
        }
    }
}

/// What a caller wants.
#[derive(Debug, Clone)]
pub struct SubscribeChannels {
    /// Whose channels.
    pub whom: Whom,
    /// Which of them; `None` for all that can be subscribed.
    pub channels: Option<Vec<ChannelKind>>,
    /// Ask also where the person behind the endpoint opted out.
    pub lift_opt_out: bool,
}

/// What became of one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelOutcome {
    /// Whose channel.
    pub engineer: EngineerId,
    /// Which channel.
    pub channel: ChannelKind,
    /// How it stands now.
    pub status: ConfirmationStatus,
    /// Why nothing was done.
    pub refusal: Option<Refusal>,
}

impl ChannelOutcome {
    /// The channels asked for of someone whom the caller may not act on, or who is not there; one of them where none was named.
    pub(super) fn refused_all<'a>(
        engineer: EngineerId,
        channels: Option<&'a [ChannelKind]>,
        refusal: &'a Refusal,
    ) -> impl Iterator<Item = Self> + 'a {
        channels.unwrap_or(&ChannelKind::ALL[..1]).iter().map(move |channel| Self {
            engineer,
            channel: *channel,
            status: ConfirmationStatus::NotConfigured,
            refusal: Some(refusal.clone()),
        })
    }
}

impl Services {
    /// Asks for confirmations. Each channel gets an outcome of its own; with `channels` left out, only those that can be
    /// subscribed are asked for and told of. Under a key each is asked once, and the outcomes are those of the first time.
    ///
    /// # Errors
    /// When the caller may act on nobody, or the database fails.
    pub async fn subscribe_channels(
        &self,
        actor: &Actor,
        input: SubscribeChannels,
        once: Option<&Once>,
    ) -> Result<Vec<ChannelOutcome>, ServiceError> {
        let record = input.whom.of_all(&self.record_of_subscribing(actor, &input));
        self.attempt(actor, &record, Box::pin(self.subscribe_recorded(actor, input, once))).await
    }

    async fn subscribe_recorded(
        &self,
        actor: &Actor,
        input: SubscribeChannels,
        once: Option<&Once>,
    ) -> Result<Vec<ChannelOutcome>, ServiceError> {
        if input.lift_opt_out && !actor.may(Permission::SubscribeChannels) {
            return Err(Refusal::new(RefusalCode::NotAllowed).at(&["liftOptOut"]).into());
        }
        let ids = self.resolve(actor, &input.whom).await?;
        if let Some(once) = once {
            return self.subscribe_once(actor, &ids, &input, once).await;
        }
        let mut outcomes = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            let mut tx = self.core.store.begin(&actor.account).await?;
            outcomes.extend(self.subscribe_chunk(actor, &mut tx, chunk, &input).await?);
            tx.commit().await?;
        }
        if ids.is_empty() {
            self.record_nobody(actor, AuditAction::SubscribeChannels).await?;
        }
        Ok(outcomes)
    }

    /// That someone's objection was passed over is not to be lost among the rest.
    fn record_of_subscribing(&self, actor: &Actor, input: &SubscribeChannels) -> AuditRecord {
        let record = self.record_of(actor, AuditAction::SubscribeChannels);
        if input.lift_opt_out { record.with("liftOptOut", "true") } else { record }
    }

    /// The ids that a caller means, each once, in their order.
    pub(super) async fn resolve(&self, actor: &Actor, whom: &Whom) -> Result<Vec<EngineerId>, ServiceError> {
        match whom {
            Whom::Ids(ids) => {
                let mut seen = BTreeSet::new();
                Ok(ids.iter().copied().filter(|id| seen.insert(*id)).collect())
            }
            Whom::Filter(filter) => {
                let mut filter = filter.clone();
                match actor.sight() {
                    Sight::WholeRoll => {}
                    Sight::Only(only) => filter.narrow_to(only),
                    Sight::Nobody => return Ok(Vec::new()),
                }
                let rows = self.core.store.rows(&actor.account);
                Ok(rows.list_engineer_ids(&filter, None, u64::from(u32::MAX)).await?)
            }
        }
    }

    /// Asks these people within the caller's transaction.
    pub(super) async fn subscribe_chunk(
        &self,
        actor: &Actor,
        tx: &mut Tx,
        ids: &[EngineerId],
        input: &SubscribeChannels,
    ) -> Result<Vec<ChannelOutcome>, ServiceError> {
        let refused = refuse_others(tx, actor, ids).await?;
        let allowed: Vec<_> = ids.iter().copied().filter(|id| !refused.contains_key(id)).collect();
        let account = self.account(&actor.account)?;
        let record = self.record_of_subscribing(actor, input);
        let mut batch = Batch::lock(&self.core, account, tx, &allowed, self.now()).await?;
        batch.audit(record.clone());
        batch.lock_guards(tx).await?;
        let channels = input.channels.as_deref();
        let mut outcomes = Vec::new();
        for id in ids {
            if let Some(refusal) = refused.get(id) {
                outcomes.extend(ChannelOutcome::refused_all(*id, channels, refusal));
                continue;
            }
            for kind in channels.unwrap_or(&ChannelKind::ALL) {
                let outcome = subscribe(&mut batch, *id, *kind, input.lift_opt_out);
                let wanted = channels.is_some() || outcome.refusal.is_none();
                outcomes.extend(Some(outcome).filter(|_| wanted));
            }
        }
        self.record_outcomes(tx, &record, &outcomes).into_iter().for_each(|id| batch.tell_of(id));
        batch.save(tx).await?;
        Ok(outcomes)
    }
}

/// Of these people, those on whose channels the caller may not act, with the reason. Nothing is locked for them.
pub(super) async fn refuse_others(
    tx: &Tx,
    actor: &Actor,
    ids: &[EngineerId],
) -> Result<HashMap<EngineerId, Refusal>, ServiceError> {
    let present = tx.rows().find_engineers(ids).await?;
    let judge = |id: &EngineerId| match (present.contains_key(id) && actor.can_view(*id), actor.can_subscribe(*id)) {
        (false, _) => Some((*id, Refusal::not_found("engineer"))),
        (true, false) => Some((*id, Refusal::new(RefusalCode::NotAllowed))),
        (true, true) => None,
    };
    Ok(ids.iter().filter_map(judge).collect())
}

fn subscribe(batch: &mut Batch<'_>, id: EngineerId, kind: ChannelKind, lift_opt_out: bool) -> ChannelOutcome {
    let mut guard = batch.guard(id, kind).cloned().unwrap_or_default();
    if lift_opt_out {
        guard.opted_out_at = None;
    }
    let refusal = check(batch, id, kind, &guard).err();
    if refusal.is_none() {
        if let Some(kept) = batch.guard(id, kind) {
            *kept = guard;
        }
        if let Some(request) = batch.request(id, kind) {
            let subscribed = Happening::Subscribed { request, origin: Origin::Person };
            // The check above allowed exactly the states from which this happens.
            let _ = batch.apply(id, kind, subscribed);
        }
    }
    let status = batch.channel(id, kind).map_or(ConfirmationStatus::NotConfigured, Channel::status);
    ChannelOutcome { engineer: id, channel: kind, status, refusal }
}

fn check(batch: &Batch<'_>, id: EngineerId, kind: ChannelKind, guard: &EndpointGuard) -> Result<(), Refusal> {
    let present = batch.engineers.get(&id).filter(|engineer| engineer.deleted_at.is_none());
    let (Some(engineer), Some(channel)) = (present, batch.channel(id, kind)) else {
        return Err(Refusal::not_found("engineer"));
    };
    channel.subscribable(batch.circumstances(engineer, kind, guard)).map_err(|reason| {
        let refusal = Refusal::new(reason.into());
        match reason {
            NotSubscribableReason::RateLimited => {
                refusal.with_time("nextRequestAt", guard.next_request_at(kind, batch.now))
            }
            NotSubscribableReason::AlreadyConfirmed
            | NotSubscribableReason::NoEndpoint
            | NotSubscribableReason::Restricted
            | NotSubscribableReason::InProgress
            | NotSubscribableReason::NotNeeded
            | NotSubscribableReason::EngineerInactive
            | NotSubscribableReason::OptedOut => refusal,
        }
    })
}
