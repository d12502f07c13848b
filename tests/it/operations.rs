//! What an operator sees and does: probes, metrics, listeners, ending, backups.

mod backup;
mod confirm_listener;
mod ending;
mod metrics;
mod outage;
mod readiness;
mod retention;
mod rotation;
mod storage;
