//! Handing requests to the provider. Each step can run twice without harm: after a crash the provider is asked what it has before
//! it is asked again.

use chrono::{DateTime, Duration, Utc};
use futures_util::{StreamExt as _, stream};

use super::{Account, ServiceError, Services, batch::Batch};
use crate::{
    domain::{
        confirmation::{FailureCode, Happening, NoStep},
        engineer::Engineer,
        id::AccountId,
    },
    port::provider::{Accepted, ConfirmationRequest, ProviderError},
    store::{StoreError, Subscription, Work, WorkKind},
};

/// How long a claim on a request lasts: longer than any provider may take to answer.
pub(super) const CLAIM: Duration = Duration::minutes(2);

/// How many requests are claimed at once.
const CLAIMS: u64 = 50;

/// How many requests are handed over at once. With [`CLAIMS`] it keeps a round within [`CLAIM`] even where each takes 15 seconds.
const AT_ONCE: usize = 8;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::minutes(10);

/// What the provider made of a request.
enum Answer {
    Accepted(Accepted),
    Refused(FailureCode),
}

impl Services {
    /// Hands due requests to their providers. Tells how many were worked on.
    ///
    /// # Errors
    /// When the database fails. What a provider answers is no error here.
    pub async fn hand_over_due(&self, owner: &str) -> Result<usize, ServiceError> {
        let work = self.core.store.queue().claim(WorkKind::HandOver, owner, self.now(), CLAIM, CLAIMS).await?;
        let count = work.len();
        let mut done = stream::iter(work).map(|one| self.hand_over(one)).buffer_unordered(AT_ONCE);
        while let Some(result) = done.next().await {
            result?;
        }
        Ok(count)
    }

    async fn hand_over(&self, work: Work) -> Result<(), ServiceError> {
        let Work { account: id, subscription, tried } = work;
        let account = self.account(&id)?;
        if self.was_retired(&id, &subscription).await? {
            // Nobody is asked any more. The claim is given back, so that cancelling need not wait for its end.
            return self.postpone(&id, &subscription, self.now()).await;
        }
        let Some(engineer) = self.core.store.rows(&id).find_engineer(subscription.engineer).await? else {
            return self.postpone(&id, &subscription, self.now() + LONGEST_PAUSE).await;
        };
        // Taken just before the call: the person has the whole time, and never longer than the provider grants.
        let expires_at = self.now() + self.core.link_lifetime;
        let Some(request) = request_of(account, &subscription, &engineer, expires_at) else {
            return self.close(&id, &subscription).await;
        };
        let provider = account.provider.as_ref();
        let found = if tried { provider.find(&request).await } else { Ok(None) };
        let answer = match found {
            Ok(Some(accepted)) => Ok(accepted),
            Ok(None) => provider.request(&request).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(accepted) => {
                let expires_at = accepted.expires_at.unwrap_or(expires_at);
                self.record(account, &subscription, expires_at, Answer::Accepted(accepted)).await
            }
            Err(ProviderError::Refused(code)) => {
                tracing::warn!(
                    engineer.id = %subscription.engineer, channel = subscription.channel.name(),
                    code = code.name(), "The provider refused a confirmation for good"
                );
                self.record(account, &subscription, expires_at, Answer::Refused(code)).await
            }
            Err(ProviderError::Unavailable { message, retry_after }) => {
                let at = self.now() + pause(subscription.attempts, retry_after);
                tracing::warn!(
                    channel.subscription.id = %subscription.id, error = message, next_attempt_at = %at,
                    "A confirmation could not be handed over, and is tried again"
                );
                self.postpone(&id, &subscription, at).await
            }
        }
    }

    async fn was_retired(&self, account: &AccountId, subscription: &Subscription) -> Result<bool, StoreError> {
        let now = self.core.store.rows(account).find_subscription(subscription.id).await?;
        Ok(now.is_none_or(|now| now.retired_at.is_some()))
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
