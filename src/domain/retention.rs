//! How long what is kept.

use chrono::TimeDelta;

/// How long what is kept, each at least 1 day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events: streams resume from those up to this age.
    pub events: TimeDelta,
    /// Status changes as history; not shorter than the events.
    pub history: TimeDelta,
    /// Messages of the outbox.
    pub outbox: TimeDelta,
    /// Runs of directory syncs and their outcomes, from their end on; not shorter than the events, which name them.
    pub syncs: TimeDelta,
    /// Requests to confirm, after they are over.
    pub requests: TimeDelta,
    /// The audit log.
    pub audit: TimeDelta,
}
