//! The fields of `Subscription`: live streams, one file per noun.
//!
//! Each stream pulls: it asks the log for more only when its client took what it had, so a slow client costs no memory.

pub(super) mod confirmation;
pub(super) mod course;
pub(super) mod directory_sync;
pub(super) mod engineer;
pub(super) mod roster_summary;
mod watch;

pub(super) use self::watch::{Source, Watch, into_stream};
