//! The background work.

use std::time::Duration;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::findings::Findings;

/// The background work: how often, and how long its traces are kept.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WorkerSection {
    /// How often the providers are asked how the confirmations stand, in seconds.
    #[schemars(range(min = 1, max = 86_400))]
    confirmation_sync_seconds: u32,
    /// How often the database is looked at for work that no hint announced, in milliseconds.
    #[schemars(range(min = 10, max = 60_000))]
    poll_milliseconds: u32,
    /// How long events are kept, in days. A live stream can resume within that time.
    #[schemars(range(min = 1, max = 3650))]
    event_retention_days: u32,
    /// How long the history of statuses is kept, in days; not shorter than the events.
    #[schemars(range(min = 1, max = 36_500))]
    history_retention_days: u32,
}

impl Default for WorkerSection {
    fn default() -> Self {
        Self {
            confirmation_sync_seconds: 600,
            poll_milliseconds: 500,
            event_retention_days: 30,
            history_retention_days: 400,
        }
    }
}

/// The background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerConfig {
    /// The time between two confirmation syncs, 1 second to 1 day.
    pub confirmation_sync: Duration,
    /// The time between two looks at the database, 10 milliseconds to 1 minute.
    pub poll: Duration,
    /// How long events are kept, at least 1 day.
    pub event_retention: TimeDelta,
    /// How long the history of statuses is kept, not shorter than the events.
    pub history_retention: TimeDelta,
}

impl WorkerSection {
    pub(super) fn resolve(&self, findings: &mut Findings) -> WorkerConfig {
        if self.history_retention_days < self.event_retention_days {
            findings.refuse(
                "worker.history_retention_days",
                format!("must not be shorter than worker.event_retention_days, which is {}", self.event_retention_days),
            );
        }
        WorkerConfig {
            confirmation_sync: Duration::from_secs(self.confirmation_sync_seconds.into()),
            poll: Duration::from_millis(self.poll_milliseconds.into()),
            event_retention: TimeDelta::days(self.event_retention_days.into()),
            history_retention: TimeDelta::days(self.history_retention_days.into()),
        }
    }
}
