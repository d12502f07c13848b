//! Cancelling retired requests at the provider.

use chrono::Duration;

use super::{
    ServiceError, Services,
    hand_over::{CLAIM, in_time, pause},
};
use crate::{
    port::provider::ProviderError,
    store::{Claim, Work, WorkKind},
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
        let claim = Claim { owner, accounts: &accounts, now, until: now + CLAIM, limit: CLAIMS };
        let work = self.core.store.queue().claim(WorkKind::Cancel, &claim).await?;
        let count = work.len();
        for one in work {
            self.cancel(one).await?;
        }
        Ok(count)
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
}
