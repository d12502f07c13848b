//! Cancelling retired requests at the provider.

use chrono::Duration;

use super::{
    ServiceError, Services,
    hand_over::{CLAIM, in_time, pause},
};
use crate::{
    domain::{channel::ChannelKind, id::AccountId},
    port::provider::ProviderError,
    store::{Claim, Subscription, Work, WorkKind},
};

/// How long a request is tried to be cancelled. Then it is given up, and what was kept for it is erased.
const GIVE_UP_AFTER: Duration = Duration::days(7);

/// How many requests are claimed at once.
const CLAIMS: u64 = 50;

impl Services {
    /// Cancels due requests at their providers. Tells how many were worked on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_due(&self, owner: &str) -> Result<usize, ServiceError> {
        let (accounts, now) = (self.account_ids(), self.now());
        let channels = &ChannelKind::ALL;
        let claim = Claim { owner, accounts: &accounts, now, until: now + CLAIM, channels, limit: CLAIMS };
        let work = self.core.store.queue().claim(WorkKind::Cancel, &claim).await?;
        let count = work.len();
        let mut failure = Ok(());
        for one in work {
            // The others need not wait for the end of their claims.
            failure = failure.and(self.cancel(one).await);
        }
        failure.map(|()| count)
    }

    async fn cancel(&self, work: Work) -> Result<(), ServiceError> {
        let Work { account: id, subscription, .. } = work;
        let account = self.account(&id)?;
        if self.core.store.rows(&id).shares_reference(&subscription).await? {
            // The provider gave one reference to two requests, and the other is alive.
            return self.close(&id, &subscription).await;
        }
        let provider = account.provider.as_ref();
        let cancelled = if subscription.provider == provider.name() {
            in_time(provider.cancel(&id, subscription.id, subscription.reference.as_deref())).await
        } else {
            // The provider was changed: there is nobody to ask any more.
            Ok(())
        };
        self.forget_message_of_the_erased(&id, &subscription).await?;
        match cancelled {
            Ok(()) | Err(ProviderError::Refused(_)) => self.close(&id, &subscription).await,
            Err(ProviderError::Unavailable { message, retry_after }) => {
                let now = self.now();
                if subscription.retired_at.is_some_and(|retired| now - retired >= GIVE_UP_AFTER) {
                    tracing::warn!(channel.subscription.id = %subscription.id, "Cancelling was given up after 7 days");
                    return self.close(&id, &subscription).await;
                }
                tracing::warn!(
                    channel.subscription.id = %subscription.id, error = message,
                    "A request could not be cancelled at the provider, and is tried again"
                );
                self.postpone(&id, &subscription, now + pause(subscription.attempts, retry_after)).await
            }
        }
    }

    /// A message that left while its person was erased came into the outbox after everything else of them was gone.
    async fn forget_message_of_the_erased(&self, id: &AccountId, of: &Subscription) -> Result<(), ServiceError> {
        let tx = self.core.store.begin(id).await?;
        if tx.rows().lock_engineers(&[of.engineer]).await?.is_empty() {
            tx.rows().delete_outbox_message(&of.id.0.simple().to_string()).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
