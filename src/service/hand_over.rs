//! Handing requests to the provider. Each step can run twice without harm: after a crash the provider is asked what it has before
//! it is asked again.

use chrono::{DateTime, Duration, Utc};
use futures_util::{StreamExt as _, stream};

use super::{Account, ServiceError, Services, batch::Batch};
use crate::{
    domain::{
        channel::ChannelKind,
        confirmation::{FailureCode, Happening, NoStep},
        engineer::Engineer,
        id::AccountId,
    },
    port::provider::{Accepted, ConfirmationProvider, ConfirmationRequest, ProviderError},
    store::{Claim, StoreError, Subscription, Work, WorkKind},
};

/// How long a claim on a request lasts: longer than any provider may take to answer.
pub(super) const CLAIM: Duration = Duration::minutes(2);

/// How many requests are claimed at once.
const CLAIMS: u64 = 50;

/// How many requests are handed over at once.
const AT_ONCE: usize = 8;

/// How long a provider may take to answer: less than [`CLAIM`], so that nobody else asks meanwhile.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(100);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::minutes(10);

/// What the provider made of a request.
enum Answer {
    Accepted(Accepted),
    Refused(FailureCode),
}

impl Services {
    /// Hands due requests for these channels to their providers. Tells how many were worked on. Channels that go by another carrier
    /// are best handed over apart: none of them waits for the other's slow answers.
    ///
    /// # Errors
    /// When the database fails. What a provider answers is no error here.
    pub async fn hand_over_due(&self, owner: &str, channels: &[ChannelKind]) -> Result<usize, ServiceError> {
        let (accounts, now) = (self.account_ids(), self.now());
        let claim = Claim { owner, accounts: &accounts, now, until: now + CLAIM, channels, limit: CLAIMS };
        let work = self.core.store.queue().claim(WorkKind::HandOver, &claim).await?;
        let count = work.len();
        let mut done = stream::iter(work).map(|one| self.hand_over(owner, one)).buffer_unordered(AT_ONCE);
        // All are awaited, also after a failure: a conversation that is dropped half-way would be repeated.
        let mut failure = Ok(());
        while let Some(result) = done.next().await {
            failure = failure.and(result);
        }
        failure.map(|()| count)
    }

    async fn hand_over(&self, owner: &str, work: Work) -> Result<(), ServiceError> {
        let Work { account: id, subscription, tried } = work;
        let account = self.account(&id)?;
        if !self.keep_claim(&id, owner, &subscription).await? {
            return Ok(());
        }
        if self.is_opted_out(&id, &subscription).await? {
            return self.withdraw(account, owner, &subscription).await;
        }
        let engineer = self.core.store.rows(&id).find_engineer(subscription.engineer).await?;
        let Some(engineer) = engineer.filter(Engineer::is_active) else {
            // Deleted, or no longer active: the request waits with them. That it may have been tried stays known.
            return self.postpone(&id, &subscription, self.now()).await;
        };
        // Taken just before the call: the person has the whole time, and never longer than the provider grants.
        let expires_at = self.now() + self.core.link_lifetime;
        let Some(request) = request_of(account, &subscription, &engineer, expires_at) else {
            return self.close(&id, &subscription).await;
        };
        let answer = in_time(ask(account.provider.as_ref(), &request, tried)).await;
        self.settle(account, &subscription, expires_at, answer).await
    }

    /// Records what came of asking the provider, or puts the request back to be tried again.
    async fn settle(
        &self,
        account: &Account,
        subscription: &Subscription,
        expires_at: DateTime<Utc>,
        answer: Result<Accepted, ProviderError>,
    ) -> Result<(), ServiceError> {
        match answer {
            Ok(accepted) => {
                let expires_at = accepted.expires_at.unwrap_or(expires_at);
                self.record(account, subscription, expires_at, Answer::Accepted(accepted)).await
            }
            Err(ProviderError::Refused(code)) => {
                tracing::warn!(
                    engineer.id = %subscription.engineer, channel = subscription.channel.name(),
                    code = code.name(), "The provider refused a confirmation for good"
                );
                self.record(account, subscription, expires_at, Answer::Refused(code)).await
            }
            Err(ProviderError::Unavailable { message, retry_after }) => {
                let at = self.now() + pause(subscription.attempts, retry_after);
                tracing::warn!(
                    channel.subscription.id = %subscription.id, error = message, next_attempt_at = %at,
                    "A confirmation could not be handed over, and is tried again"
                );
                self.postpone(&account.settings.id, subscription, at).await
            }
        }
    }

    /// Makes sure that a claimed request is still this process's to hand over: others went before it, and took their time.
    async fn keep_claim(
        &self,
        account: &AccountId,
        owner: &str,
        subscription: &Subscription,
    ) -> Result<bool, StoreError> {
        let tx = self.core.store.begin(account).await?;
        let kept = tx.rows().keep_claim(subscription.id, owner, self.now() + CLAIM).await?;
        if !kept {
            // Nobody is to be asked any more: cancelling need not wait for the claim's end.
            tx.rows().give_back_claim(subscription.id, owner).await?;
        }
        tx.commit().await?;
        Ok(kept)
    }

    async fn is_opted_out(&self, account: &AccountId, subscription: &Subscription) -> Result<bool, StoreError> {
        let rows = self.core.store.rows(account);
        let Some(endpoint) = &subscription.endpoint else { return Ok(false) };
        let guards = rows.find_guards(&[rows.endpoint_key(endpoint)]).await?;
        Ok(guards.values().any(|guard| guard.opted_out_at.is_some()))
    }

    /// Takes back a request that waited while the person behind its endpoint opted out, by another channel or as another engineer.
    async fn withdraw(&self, account: &Account, owner: &str, subscription: &Subscription) -> Result<(), ServiceError> {
        let (engineer, channel) = (subscription.engineer, subscription.channel);
        let mut tx = self.core.store.begin(&account.settings.id).await?;
        let mut batch = Batch::lock(&self.core, account, &tx, &[engineer], self.now()).await?;
        let present = batch.channel(engineer, channel).and_then(|channel| channel.state.request());
        if present.is_some_and(|request| request.generation == subscription.id) {
            // It is REQUESTED, since it was still to be handed over.
            let _ = batch.apply(engineer, channel, Happening::Cancelled);
        }
        tx.rows().give_back_claim(subscription.id, owner).await?;
        batch.save(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Records what the provider answered. An answer to a retired request changes no channel: it becomes cancel work.
    async fn record(
        &self,
        account: &Account,
        subscription: &Subscription,
        expires_at: DateTime<Utc>,
        answer: Answer,
    ) -> Result<(), ServiceError> {
        let mut tx = self.core.store.begin(&account.settings.id).await?;
        let mut batch = Batch::lock(&self.core, account, &tx, &[subscription.engineer], self.now()).await?;
        let generation = subscription.id;
        let happening = match &answer {
            Answer::Accepted(_) => Happening::Accepted { generation, expires_at },
            Answer::Refused(code) => Happening::Refused { generation, code: *code },
        };
        let late = batch.apply(subscription.engineer, subscription.channel, happening) == Err(NoStep::Late);
        match &answer {
            Answer::Accepted(accepted) => tx.rows().hold_subscription(generation, &accepted.reference).await?,
            Answer::Refused(_) => tx.rows().close_subscriptions(&[generation]).await?,
        }
        if late && matches!(answer, Answer::Accepted(_)) {
            tx.rows().retire_subscriptions(&[generation], self.now()).await?;
        }
        batch.save(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn postpone(
        &self,
        account: &AccountId,
        subscription: &Subscription,
        at: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let tx = self.core.store.begin(account).await?;
        tx.rows().postpone_subscription(subscription.id, subscription.attempts + 1, at).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn close(&self, account: &AccountId, subscription: &Subscription) -> Result<(), ServiceError> {
        let tx = self.core.store.begin(account).await?;
        tx.rows().close_subscriptions(&[subscription.id]).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Asks the provider, unless it has the request already.
async fn ask(
    provider: &dyn ConfirmationProvider,
    request: &ConfirmationRequest,
    tried: bool,
) -> Result<Accepted, ProviderError> {
    let found = if tried { provider.find(request).await? } else { None };
    match found {
        Some(accepted) => Ok(accepted),
        None => provider.request(request).await,
    }
}

/// Waits for a provider, but not beyond [`DEADLINE`].
pub(super) async fn in_time<T>(call: impl Future<Output = Result<T, ProviderError>>) -> Result<T, ProviderError> {
    let late = |_| ProviderError::Unavailable { message: "no answer in time".to_owned(), retry_after: None };
    tokio::time::timeout(DEADLINE, call).await.map_err(late)?
}

/// The wish that a request stands for; `None` once its endpoint is erased.
fn request_of(
    account: &Account,
    subscription: &Subscription,
    engineer: &Engineer,
    expires_at: DateTime<Utc>,
) -> Option<ConfirmationRequest> {
    Some(ConfirmationRequest {
        account: account.settings.id.clone(),
        engineer: engineer.id,
        name: engineer.alias.clone().unwrap_or_else(|| engineer.name.clone()),
        locale: engineer.locale,
        channel: subscription.channel,
        generation: subscription.id,
        endpoint: subscription.endpoint.clone()?,
        expires_at,
    })
}

/// The pause before the next attempt: 5 seconds, doubling, up to [`LONGEST_PAUSE`], and never less than the provider asked for.
pub(super) fn pause(attempts: i32, retry_after: Option<u64>) -> Duration {
    let doubled = Duration::seconds(5 << attempts.clamp(0, 7));
    let asked = Duration::seconds(retry_after.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(0).min(86_400));
    doubled.min(LONGEST_PAUSE).max(asked)
}
