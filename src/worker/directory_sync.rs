//! Queued directory syncs.

use async_trait::async_trait;

use super::{At, Step};
use crate::service::ServiceError;

/// Does the runs that wait.
pub(super) struct DirectorySync(pub At);

#[async_trait]
impl Step for DirectorySync {
    fn name(&self) -> &'static str {
        "directory-sync"
    }

    async fn run(&self) -> Result<bool, ServiceError> {
        let (services, owner) = &self.0;
        services.run_due_directory_sync(owner).await
    }
}
