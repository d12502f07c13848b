//! The fields of `Query`, one file per noun.

pub(super) mod api_key;
pub(super) mod audit_log;
pub(super) mod channel_kind;
pub(super) mod directory_sync;
pub(super) mod engineer;
pub(super) mod filter;
pub(super) mod node;
pub(super) mod roster_summary;
pub(super) mod status_change;
pub(super) mod viewer;
