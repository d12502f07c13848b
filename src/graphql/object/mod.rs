//! The objects of the schema: chosen fields of domain values, one file per noun.

pub(super) mod api_key;
pub(super) mod audit_choice;
pub(super) mod audit_entry;
pub(super) mod channel;
pub(super) mod channel_kind;
pub(super) mod choice;
pub(super) mod directory_sync;
pub(super) mod engineer;
pub(super) mod outcome;
pub(super) mod roster_summary;
pub(super) mod status_change;
pub(super) mod user_error;
pub(super) mod viewer;
