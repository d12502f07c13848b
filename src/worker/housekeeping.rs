//! What time takes away: deleted people, and what was kept long enough.

use std::time::Duration;

use async_trait::async_trait;

use super::{Pace, Step};
use crate::service::{ServiceError, Services};

/// Erases deleted people whose time has come.
pub(super) struct Erase(pub Services);

#[async_trait]
impl Step for Erase {
    fn name(&self) -> &'static str {
        "erase"
    }

    fn pace(&self) -> Pace {
        Pace::Every(Duration::from_secs(5))
    }

    async fn run(&self) -> Result<bool, ServiceError> {
        self.0.erase_due().await?;
        Ok(false)
    }
}

/// Takes away what was kept long enough, a piece at a time.
pub(super) struct Prune(pub Services);

#[async_trait]
impl Step for Prune {
    fn name(&self) -> &'static str {
        "prune"
    }

    fn pace(&self) -> Pace {
        Pace::Every(Duration::from_secs(3600))
    }

    async fn run(&self) -> Result<bool, ServiceError> {
        self.0.prune().await
    }
}
