//! The confirmation sync, every ten minutes unless set otherwise, and when someone asks.

use async_trait::async_trait;
use chrono::Duration;

use super::{At, Step};
use crate::service::ServiceError;

/// Pulls statuses from the providers.
pub(super) struct ConfirmationSync {
    pub at: At,
    pub every: Duration,
}

#[async_trait]
impl Step for ConfirmationSync {
    fn name(&self) -> &'static str {
        "confirmation-sync"
    }

    async fn run(&self) -> Result<bool, ServiceError> {
        let (services, owner) = &self.at;
        services.sync_confirmations_if_due(owner, self.every).await?;
        Ok(false)
    }
}
