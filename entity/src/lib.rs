//! The tables as sea-orm entities, one file a table. They know nothing of rollcall.

pub mod account;
pub mod api_key;
pub mod audit_entry;
pub mod channel;
pub mod channel_subscription;
pub mod confirmation_link;
pub mod confirmation_sync;
pub mod directory_identity;
pub mod directory_sync;
pub mod directory_sync_outcome;
pub mod endpoint_guard;
pub mod engineer;
pub mod event;
pub mod idempotency_key;
pub mod installation;
pub mod lease;
pub mod outbox_message;
