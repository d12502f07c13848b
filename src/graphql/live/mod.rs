//! The fields of `Subscription`: live streams, one file per noun.
//!
//! Each stream pulls: it asks the log for more only when the transport took what it had. The transport does so for all who follow
//! the same live query together, and keeps nothing but a position for a slow one (`http/groups`).

pub(super) mod confirmation;
pub(super) mod course;
pub(super) mod directory_sync;
pub(super) mod engineer;
pub(super) mod roster_summary;
mod watch;

pub(super) use self::watch::{Source, Watch, into_stream};
