//! Cancelling channels: back to UNSUBSCRIBED, and cancelled at the provider.

use super::{
    CHUNK, ServiceError, Services,
    batch::Batch,
    subscribe_channels::{ChannelOutcome, Whom, refuse_others},
};
use crate::domain::{
    actor::Actor,
    audit::AuditAction,
    channel::ChannelKind,
    confirmation::{Channel, ConfirmationStatus, Happening, NoStep},
    id::EngineerId,
    refusal::{Refusal, RefusalCode},
};

/// What a caller wants cancelled.
#[derive(Debug, Clone)]
pub struct CancelChannels {
    /// Whose channels.
    pub whom: Whom,
    /// Which of them; `None` for all that can be cancelled.
    pub channels: Option<Vec<ChannelKind>>,
}

impl Services {
    /// Cancels channels. Each gets an outcome of its own; with `channels` left out, only those that were cancelled are told of, and
    /// one for each person whom the caller may not act on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_channels(
        &self,
        actor: &Actor,
        input: CancelChannels,
    ) -> Result<Vec<ChannelOutcome>, ServiceError> {
        let record = input.whom.of_all(&self.record_of(actor, AuditAction::CancelChannels));
        self.attempt(actor, &record, Box::pin(self.cancel_recorded(actor, input))).await
    }

    async fn cancel_recorded(&self, actor: &Actor, input: CancelChannels) -> Result<Vec<ChannelOutcome>, ServiceError> {
        let ids = self.resolve(actor, &input.whom).await?;
        let mut outcomes = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            outcomes.extend(self.cancel_chunk(actor, chunk, input.channels.as_deref()).await?);
        }
        if ids.is_empty() {
            self.record_nobody(actor, AuditAction::CancelChannels).await?;
        }
        Ok(outcomes)
    }

    async fn cancel_chunk(
        &self,
        actor: &Actor,
        ids: &[EngineerId],
        channels: Option<&[ChannelKind]>,
    ) -> Result<Vec<ChannelOutcome>, ServiceError> {
        let account = self.account(&actor.account)?;
        let mut tx = self.core.store.begin(&actor.account).await?;
        let refused = refuse_others(&tx, actor, ids).await?;
        let allowed: Vec<_> = ids.iter().copied().filter(|id| !refused.contains_key(id)).collect();
        let record = self.record_of(actor, AuditAction::CancelChannels);
        let mut batch = Batch::lock(&self.core, account, &tx, &allowed, self.now()).await?;
        batch.audit(record.clone());
        batch.lock_guards(&tx).await?;
        let mut outcomes = Vec::new();
        for id in ids {
            if let Some(refusal) = refused.get(id) {
                outcomes.extend(ChannelOutcome::refused_all(*id, channels, refusal));
                continue;
            }
            for kind in channels.unwrap_or(&ChannelKind::ALL) {
                let (outcome, changed) = cancel(&mut batch, *id, *kind);
                let wanted = channels.is_some() || changed;
                outcomes.extend(Some(outcome).filter(|_| wanted));
            }
        }
        self.record_outcomes(&mut tx, &record, &outcomes).into_iter().for_each(|id| batch.tell_of(id));
        batch.save(&mut tx).await?;
        tx.commit().await?;
        Ok(outcomes)
    }
}

/// Cancels a channel. Tells what became of it, and whether anything changed.
fn cancel(batch: &mut Batch<'_>, id: EngineerId, kind: ChannelKind) -> (ChannelOutcome, bool) {
    let step = batch.apply(id, kind, Happening::Cancelled);
    let changed = step.is_ok();
    let refusal = step.err().and_then(|none| match none {
        NoStep::Unchanged | NoStep::Late => None,
        NoStep::Impossible(ConfirmationStatus::NotConfigured) if kind.needs_confirmation() => {
            Some(Refusal::new(RefusalCode::NoEndpoint))
        }
        NoStep::Impossible(_) => Some(Refusal::new(RefusalCode::NotNeeded)),
    });
    let status = batch.channel(id, kind).map_or(ConfirmationStatus::NotConfigured, Channel::status);
    (ChannelOutcome { engineer: id, channel: kind, status, refusal }, changed)
}
