//! What an operator sees and does: probes, metrics, listeners, ending, backups.

mod confirm_listener;
mod metrics;
mod readiness;
