//! The confirmation sync: pulls statuses from the provider and writes only what changed.
//!
//! A partial listing downgrades nobody. What two complete listings in a row lack is gone, unless so much is missing that the
//! listing itself must be doubted.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};

use super::{Account, CHUNK, ServiceError, Services, batch::Batch, hand_over::in_time};
use crate::{
    domain::{
        actor::{Actor, Permission},
        audit::{AuditAction, AuditRecord},
        channel::ChannelKind,
        confirmation::{Channel, Confirmation, Happening, Proof},
        engineer::Engineer,
        id::{AccountId, ChannelSubscriptionId, EngineerId},
        refusal::{Refusal, RefusalCode},
        roster::are_too_many_gone,
    },
    port::provider::{ListedSubscription, ProviderStatus},
    store::{Fence, StoreError, Subscription},
};

/// How long the lease of the loop lasts: longer than one page of a listing may take.
const LEASE: Duration = Duration::minutes(2);

/// Something that the listing says of a channel, and that is not known yet.
struct Finding {
    engineer: EngineerId,
    channel: ChannelKind,
    happening: Happening,
    /// The channel's present request goes by this reference from now on: an older request to the same endpoint was confirmed.
    adopted: Option<(ChannelSubscriptionId, String)>,
}

impl Services {
    /// Asks for a confirmation sync now; a worker runs it at once.
    ///
    /// # Errors
    /// When the caller may not, or the database fails.
    pub async fn refresh_confirmations(&self, actor: &Actor) -> Result<(), ServiceError> {
        let record = self.record_of(actor, AuditAction::RefreshConfirmations);
        self.attempt(actor, &record, Box::pin(self.refresh_recorded(actor, &record))).await
    }

    async fn refresh_recorded(&self, actor: &Actor, record: &AuditRecord) -> Result<(), ServiceError> {
        if !actor.may(Permission::SyncDirectories) {
            return Err(Refusal::new(RefusalCode::NotAllowed).into());
        }
        let account = self.account(&actor.account)?;
        let mut tx = self.core.store.begin(&actor.account).await?;
        let mut state = tx.rows().lock_confirmation_sync(account.provider.name()).await?;
        state.wanted_at = Some(self.now());
        tx.rows().save_confirmation_sync(account.provider.name(), &state).await?;
        tx.record(record.with("provider", account.provider.name()), self.chance());
        tx.commit().await?;
        Ok(())
    }

    /// Runs the confirmation sync of every account for which it is due: `every` after the last one began, or wanted. Tells how many
    /// ran.
    ///
    /// # Errors
    /// When the database fails. What a provider answers is no error here.
    pub async fn sync_confirmations_if_due(&self, owner: &str, every: Duration) -> Result<usize, ServiceError> {
        let mut ran = 0;
        for account in self.core.accounts.values() {
            if !self.is_sync_due(account, every).await? {
                continue;
            }
            let lease = format!("confirmation-sync/{}", account.settings.id);
            if let Some(fence) = self.core.store.take_lease(&lease, owner, self.now(), LEASE).await? {
                // Another process may have run it between the look and the lease.
                let due = self.is_sync_due(account, every).await?;
                let synced = if due { self.sync_confirmations(account, owner, &lease, &fence).await } else { Ok(()) };
                self.core.store.release_lease(&fence, self.now()).await?;
                synced?;
                ran += usize::from(due);
            }
        }
        Ok(ran)
    }

    async fn is_sync_due(&self, account: &Account, every: Duration) -> Result<bool, StoreError> {
        let rows = self.core.store.rows(&account.settings.id);
        let state = rows.get_confirmation_sync(account.provider.name()).await?;
        let now = self.now();
        // A start that lies ahead is of a clock that was set back.
        Ok(state.wanted_at.is_some() || state.started_at.is_none_or(|at| at + every <= now || at > now))
    }

    async fn sync_confirmations(
        &self,
        account: &Account,
        owner: &str,
        lease: &str,
        fence: &Fence,
    ) -> Result<(), ServiceError> {
        let began = self.now();
        self.note_start(account, fence, began).await?;
        let listed = self.list_all(account, owner, lease, fence).await?;
        if let Some(seen) = &listed {
            self.finish_listing(account, fence, began, seen).await?;
        }
        self.note_end(account, fence, began, listed.is_some()).await
    }

    /// Reads the listing page by page and applies each. Gives every reference of a complete listing; `None` where it was cut short.
    async fn list_all(
        &self,
        account: &Account,
        owner: &str,
        lease: &str,
        fence: &Fence,
    ) -> Result<Option<HashSet<String>>, ServiceError> {
        let (id, provider) = (&account.settings.id, account.provider.name());
        let mut seen = HashSet::new();
        let mut page = None;
        loop {
            let listed = match in_time(account.provider.list(id, page.as_deref())).await {
                Ok(listed) if listed.next.is_some() && listed.next == page => {
                    tracing::warn!(account = %id, provider, "The provider's listing repeats a page without end; nobody is downgraded");
                    return Ok(None);
                }
                Ok(listed) => listed,
                Err(error) => {
                    tracing::warn!(account = %id, provider, %error, "The confirmation sync was cut short; nobody is downgraded");
                    return Ok(None);
                }
            };
            self.apply_page(account, fence, &listed.entries).await?;
            seen.extend(listed.entries.into_iter().map(|entry| entry.reference));
            page = listed.next;
            if page.is_none() {
                return Ok(Some(seen));
            }
            if self.core.store.take_lease(lease, owner, self.now(), LEASE).await?.as_ref() != Some(fence) {
                return Err(StoreError::LeaseLost.into());
            }
        }
    }

    async fn note_start(&self, account: &Account, fence: &Fence, began: DateTime<Utc>) -> Result<(), ServiceError> {
        let tx = self.core.store.begin(&account.settings.id).await?;
        tx.hold_lease(fence).await?;
        let mut state = tx.rows().lock_confirmation_sync(account.provider.name()).await?;
        state.started_at = Some(began);
        tx.rows().save_confirmation_sync(account.provider.name(), &state).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A wish from before the run is granted by its end, not by its beginning: a run that is killed is run again.
    async fn note_end(
        &self,
        account: &Account,
        fence: &Fence,
        began: DateTime<Utc>,
        complete: bool,
    ) -> Result<(), ServiceError> {
        let tx = self.core.store.begin(&account.settings.id).await?;
        tx.hold_lease(fence).await?;
        let mut state = tx.rows().lock_confirmation_sync(account.provider.name()).await?;
        state.wanted_at = state.wanted_at.filter(|wanted| *wanted > began);
        if complete {
            state.finished_at = Some(self.now());
        }
        tx.rows().save_confirmation_sync(account.provider.name(), &state).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Applies one page. Only what differs is locked and written.
    async fn apply_page(
        &self,
        account: &Account,
        fence: &Fence,
        entries: &[ListedSubscription],
    ) -> Result<(), ServiceError> {
        let answered: HashMap<_, _> = entries
            .iter()
            .filter(|entry| entry.status != ProviderStatus::Unconfirmed)
            .map(|entry| (entry.reference.clone(), entry.status))
            .collect();
        let rows = self.core.store.rows(&account.settings.id);
        let references: Vec<_> = answered.keys().cloned().collect();
        let subscriptions = rows.find_known_subscriptions(account.provider.name(), &references).await?;
        let people: Vec<_> = subscriptions.iter().map(|subscription| subscription.engineer).collect();
        let engineers = rows.find_engineers(&people).await?;
        let channels = rows.list_channels(&people).await?;
        let at = self.now();
        let findings: Vec<_> = subscriptions
            .iter()
            .filter_map(|subscription| {
                let status = *answered.get(subscription.reference.as_ref()?)?;
                let engineer = engineers.get(&subscription.engineer)?;
                let channel = channels.get(&engineer.id)?.iter().find(|one| one.kind == subscription.channel)?;
                find_news(engineer, channel, subscription, status, at)
            })
            .collect();
        for chunk in findings.chunks(CHUNK) {
            self.apply_findings(account, fence, chunk).await?;
        }
        Ok(())
    }

    async fn apply_findings(&self, account: &Account, fence: &Fence, findings: &[Finding]) -> Result<(), ServiceError> {
        let mut tx = self.core.store.begin(&account.settings.id).await?;
        tx.hold_lease(fence).await?;
        let ids: Vec<_> = findings.iter().map(|finding| finding.engineer).collect();
        let mut batch = Batch::lock(&self.core, account, &tx, &ids, self.now()).await?;
        batch.lock_guards(&tx).await?;
        let now = batch.now;
        let mut adopted = Vec::new();
        for finding in findings {
            let Finding { engineer, channel, happening, .. } = *finding;
            if batch.engineers.get(&engineer).is_none_or(|engineer| engineer.deleted_at.is_some()) {
                continue;
            }
            let Ok(step) = batch.apply(engineer, channel, happening) else { continue };
            adopted.extend(&finding.adopted);
            let opted_out_at = match (happening, step.from) {
                (Happening::OptedOut { .. }, _) => Some(now),
                // Whoever opted out and confirms again at the provider wants messages again.
                (_, Confirmation::Cancelled(_)) => None,
                _ => continue,
            };
            if let Some(guard) = batch.guard(engineer, channel) {
                guard.opted_out_at = opted_out_at;
            }
        }
        batch.save(&mut tx).await?;
        for (generation, reference) in adopted {
            tx.rows().hold_subscription(*generation, reference).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Looks for what a complete listing lacks.
    async fn finish_listing(
        &self,
        account: &Account,
        fence: &Fence,
        began: DateTime<Utc>,
        seen: &HashSet<String>,
    ) -> Result<(), ServiceError> {
        let id = &account.settings.id;
        let provider = account.provider.name();
        let live = self.core.store.rows(id).list_expected_references(provider, began).await?;
        let missing: Vec<_> = live.iter().filter(|(_, reference, _)| !seen.contains(reference)).collect();
        let back: Vec<_> = live
            .iter()
            .filter(|(_, reference, since)| since.is_some() && seen.contains(reference))
            .map(|(generation, ..)| *generation)
            .collect();
        let doubtful = are_too_many_gone(missing.len(), live.len());
        let first_time: Vec<_> =
            missing.iter().filter(|(_, _, since)| since.is_none()).map(|(generation, ..)| *generation).collect();
        let gone: Vec<_> =
            missing.iter().filter(|(_, _, since)| since.is_some()).map(|(generation, ..)| *generation).collect();
        let count = i32::try_from(missing.len()).unwrap_or(i32::MAX);

        let tx = self.core.store.begin(id).await?;
        tx.hold_lease(fence).await?;
        tx.rows().set_missing_since(&back, None).await?;
        if !doubtful {
            tx.rows().set_missing_since(&first_time, Some(began)).await?;
        }
        let mut state = tx.rows().lock_confirmation_sync(provider).await?;
        state.completed_at = Some(began);
        state.missing = count;
        tx.rows().save_confirmation_sync(provider, &state).await?;
        tx.commit().await?;

        if doubtful && count > 0 {
            tracing::error!(account = %id, provider, missing = count, "The provider's listing lacks so many requests that none is taken for gone");
        } else {
            for chunk in gone.chunks(CHUNK) {
                self.apply_gone(id, account, fence, chunk).await?;
            }
        }
        Ok(())
    }

    async fn apply_gone(
        &self,
        id: &AccountId,
        account: &Account,
        fence: &Fence,
        gone: &[ChannelSubscriptionId],
    ) -> Result<(), ServiceError> {
        let rows = self.core.store.rows(id);
        let mut subscriptions = Vec::new();
        for generation in gone {
            subscriptions.extend(rows.find_subscription(*generation).await?);
        }
        let people: Vec<_> = subscriptions.iter().map(|subscription| subscription.engineer).collect();
        let mut tx = self.core.store.begin(id).await?;
        tx.hold_lease(fence).await?;
        let mut batch = Batch::lock(&self.core, account, &tx, &people, self.now()).await?;
        for one in &subscriptions {
            let deleted = batch.engineers.get(&one.engineer).is_none_or(|engineer| engineer.deleted_at.is_some());
            // Whatever happened to the channel since the listing goes before.
            let gone = Happening::GoneAtProvider { generation: one.id };
            if !deleted {
                let _ = batch.apply(one.engineer, one.channel, gone);
            }
        }
        batch.save(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// What the listing says of a request, as far as it changes the request's channel.
///
/// A request that was retired while another to the same endpoint followed can still be confirmed at the provider. The person
/// confirmed this endpoint, so the channel is confirmed. That the old request was opted out of says nothing of the new one.
fn find_news(
    engineer: &Engineer,
    channel: &Channel,
    subscription: &Subscription,
    status: ProviderStatus,
    at: DateTime<Utc>,
) -> Option<Finding> {
    let generation = channel.state.request()?.generation;
    let present = generation == subscription.id;
    let same_endpoint = || subscription.endpoint.as_deref() == engineer.endpoint(channel.kind);
    let happening = match status {
        ProviderStatus::Confirmed if present || same_endpoint() => {
            Happening::Confirmed { generation, proof: Proof::Sync, at }
        }
        ProviderStatus::OptedOut if present => Happening::OptedOut { generation },
        ProviderStatus::Unconfirmed | ProviderStatus::Confirmed | ProviderStatus::OptedOut => return None,
    };
    channel.apply(happening).ok()?;
    let adopted = subscription.reference.clone().filter(|_| !present).map(|reference| (generation, reference));
    Some(Finding { engineer: engineer.id, channel: channel.kind, happening, adopted })
}
