//! Directory syncs by schedule.

use std::time::Duration;

use async_trait::async_trait;

use super::{At, Pace, Step};
use crate::service::ServiceError;

/// Queues the runs that are due.
pub(super) struct Schedule(pub At);

#[async_trait]
impl Step for Schedule {
    fn name(&self) -> &'static str {
        "schedule"
    }

    fn pace(&self) -> Pace {
        Pace::Every(Duration::from_secs(5))
    }

    async fn run(&self) -> Result<bool, ServiceError> {
        let (services, owner) = &self.0;
        services.schedule_directory_syncs(owner).await?;
        Ok(false)
    }
}
