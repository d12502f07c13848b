//! How long what is kept.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::findings::Findings;
use crate::domain::retention::Retention;

/// How long what is kept, in days of 24 hours. What is older is taken away within the hour.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RetentionSection {
    /// Events. A live stream can resume within that time.
    #[schemars(range(min = 1, max = 3650))]
    event_days: u32,
    /// Status changes, as history; not shorter than the events.
    #[schemars(range(min = 1, max = 36_500))]
    history_days: u32,
    /// Messages that landed in the outbox.
    #[schemars(range(min = 1, max = 3650))]
    outbox_days: u32,
    /// Runs of directory syncs and what they did to whom, from their end on; not shorter than the events. The newest run of each
    /// directory stays, and the newest that succeeded.
    #[schemars(range(min = 1, max = 36_500))]
    sync_days: u32,
    /// Requests to confirm that are over, from their end on. No channel shows them any more.
    #[schemars(range(min = 1, max = 36_500))]
    request_days: u32,
    /// The audit log.
    #[schemars(range(min = 1, max = 36_500))]
    audit_days: u32,
}

impl Default for RetentionSection {
    fn default() -> Self {
        Self { event_days: 30, history_days: 400, outbox_days: 30, sync_days: 400, request_days: 400, audit_days: 730 }
    }
}

impl RetentionSection {
    pub(super) fn resolve(&self, findings: &mut Findings) -> Retention {
        for (key, days) in [("history_days", self.history_days), ("sync_days", self.sync_days)] {
            if days < self.event_days {
                let problem = format!("must not be shorter than retention.event_days, which is {}", self.event_days);
                findings.refuse(&format!("retention.{key}"), problem);
            }
        }
        let days = |days: u32| TimeDelta::days(days.into());
        Retention {
            events: days(self.event_days),
            history: days(self.history_days),
            outbox: days(self.outbox_days),
            syncs: days(self.sync_days),
            requests: days(self.request_days),
            audit: days(self.audit_days),
        }
    }
}
