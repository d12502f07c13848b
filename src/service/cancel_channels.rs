//! Cancelling channels: back to UNSUBSCRIBED, and cancelled at the provider.

use super::{
    CHUNK, ServiceError, Services,
    batch::Batch,
    subscribe_channels::{ChannelOutcome, Whom},
};
use crate::domain::{
    actor::Actor,
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
        let ids = self.resolve(actor, &input.whom).await?;
        let mut outcomes = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            outcomes.extend(self.cancel_chunk(actor, chunk, input.channels.as_deref()).await?);
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
        let mut batch = Batch::lock(&self.core, account, &tx, ids, self.now()).await?;
        batch.lock_guards(&tx).await?;
        let mut outcomes = Vec::new();
        for id in ids {
            let known = batch.engineers.get(id).is_some_and(|engineer| engineer.deleted_at.is_none());
            let refusal = match (known && actor.can_view(*id), actor.can_subscribe(*id)) {
                (false, _) => Some(Refusal::not_found("engineer")),
                (true, false) => Some(Refusal::new(RefusalCode::NotAllowed)),
                (true, true) => None,
            };
            for kind in channels.unwrap_or(&ChannelKind::ALL) {
                if let Some(refusal) = &refusal {
                    outcomes.push(ChannelOutcome::refused(*id, *kind, refusal.clone()));
                    if channels.is_none() {
                        break;
                    }
                    continue;
                }
                let outcome = cancel(&mut batch, *id, *kind);
                let wanted = channels.is_some() || outcome.refusal.is_none();
                outcomes.extend(Some(outcome).filter(|_| wanted));
            }
        }
        batch.save(&mut tx).await?;
        tx.commit().await?;
        Ok(outcomes)
    }
}

fn cancel(batch: &mut Batch<'_>, id: EngineerId, kind: ChannelKind) -> ChannelOutcome {
    let refusal = batch.apply(id, kind, Happening::Cancelled).err().and_then(|none| match none {
        NoStep::Unchanged | NoStep::Late => None,
        NoStep::Impossible(ConfirmationStatus::NotConfigured) if kind.needs_confirmation() => {
            Some(Refusal::new(RefusalCode::NoEndpoint))
        }
        NoStep::Impossible(_) => Some(Refusal::new(RefusalCode::NotNeeded)),
    });
    let status = batch.channel(id, kind).map_or(ConfirmationStatus::NotConfigured, Channel::status);
    ChannelOutcome { engineer: id, channel: kind, status, refusal }
}
