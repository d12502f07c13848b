//! The background work.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The background work: how often it looks.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WorkerSection {
    /// How often the providers are asked how the confirmations stand, in seconds.
    #[schemars(range(min = 1, max = 86_400))]
    confirmation_sync_seconds: u32,
    /// How often the database is looked at for work that no hint announced, in milliseconds.
    #[schemars(range(min = 10, max = 60_000))]
    poll_milliseconds: u32,
}

impl Default for WorkerSection {
    fn default() -> Self {
        Self { confirmation_sync_seconds: 600, poll_milliseconds: 500 }
    }
}

/// The background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerConfig {
    /// The time between two confirmation syncs, 1 second to 1 day.
    pub confirmation_sync: Duration,
    /// The time between two looks at the database, 10 milliseconds to 1 minute.
    pub poll: Duration,
}

impl WorkerSection {
    pub(super) fn resolve(&self) -> WorkerConfig {
        WorkerConfig {
            confirmation_sync: Duration::from_secs(self.confirmation_sync_seconds.into()),
            poll: Duration::from_millis(self.poll_milliseconds.into()),
        }
    }
}
