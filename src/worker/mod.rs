//! The loops that do what the rows ask for. Each loop is one step that a test can call; [`runner`] repeats it.

mod confirmation_sync;
mod directory_sync;
mod housekeeping;
mod requests;
pub mod runner;
mod schedule;

use std::sync::Arc;

use chrono::Duration;

use crate::{domain::channel::ChannelKind, service::Services};

pub use self::runner::{Pace, Runner, Step};

/// All loops of a server.
pub fn loops(services: &Services, owner: &str, confirmation_sync_every: Duration) -> Vec<Arc<dyn Step>> {
    let owner: Arc<str> = owner.into();
    let with = |services: &Services| (services.clone(), Arc::clone(&owner));
    vec![
        Arc::new(requests::HandOver { at: with(services), channels: &[ChannelKind::Email] }),
        Arc::new(requests::HandOver { at: with(services), channels: &[ChannelKind::Sms, ChannelKind::Voice] }),
        Arc::new(requests::Cancel(with(services))),
        Arc::new(requests::Expire(services.clone())),
        Arc::new(confirmation_sync::ConfirmationSync { at: with(services), every: confirmation_sync_every }),
        Arc::new(directory_sync::DirectorySync(with(services))),
        Arc::new(schedule::Schedule(with(services))),
        Arc::new(housekeeping::Erase(services.clone())),
        Arc::new(housekeeping::Prune(services.clone())),
    ]
}

/// The use cases, and the name under which this process claims work.
type At = (Services, Arc<str>);
