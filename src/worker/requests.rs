//! Requests to confirm: handing them over, cancelling them, and ending those that nobody answered in time.

use async_trait::async_trait;

use super::{At, Step};
use crate::{
    domain::channel::ChannelKind,
    service::{ServiceError, Services},
};

/// Hands requests for some channels to the provider.
pub(super) struct HandOver {
    pub at: At,
    pub channels: &'static [ChannelKind],
}

#[async_trait]
impl Step for HandOver {
    fn name(&self) -> &'static str {
        "hand-over"
    }

    async fn run(&self) -> Result<bool, ServiceError> {
        let (services, owner) = &self.at;
        Ok(services.hand_over_due(owner, self.channels).await? > 0)
    }
}

/// Cancels retired requests at the provider.
pub(super) struct Cancel(pub At);

#[async_trait]
impl Step for Cancel {
    fn name(&self) -> &'static str {
        "cancel"
    }

    async fn run(&self) -> Result<bool, ServiceError> {
        let (services, owner) = &self.0;
        Ok(services.cancel_due(owner).await? > 0)
    }
}

/// Ends requests whose link is dead.
pub(super) struct Expire(pub Services);

#[async_trait]
impl Step for Expire {
    fn name(&self) -> &'static str {
        "expire"
    }

    async fn run(&self) -> Result<bool, ServiceError> {
        Ok(self.0.expire_due().await? > 0)
    }
}
