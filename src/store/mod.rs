//! All SQL of rollcall, and the mapping between rows and domain values. The only room that knows sea-orm and the entities.
//!
//! Reading begins with [`Store::rows`], writing with [`Store::begin`]; both name the account, and no finder exists without one.
//! What works for all accounts at once, the queues and the leases, begins with [`Store::queue`].

mod account;
mod api_key;
mod audit;
mod backup;
mod channel;
mod confirmation_sync;
mod connect;
mod directory_sync;
mod engineer;
mod engineer_list;
mod error;
mod event;
mod guard;
mod idempotency;
mod identity;
mod keyset;
mod lease;
mod link;
mod measure;
mod outbox;
mod page;
mod prune;
mod queue;
mod reseal;
mod row;
mod seal;
mod subscription;
mod summary;
mod tx;

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::domain::id::AccountId;

pub use self::{
    account::AccountLog,
    audit::AuditFilter,
    backup::find_damage,
    channel::RobotEndpoint,
    confirmation_sync::ConfirmationSyncState,
    connect::ConnectOptions,
    directory_sync::{SyncCounts, SyncOutcome, SyncRun, SyncState, SyncWish},
    engineer_list::{EngineerFilter, EngineerOrder, EngineerOrderField, Place as EngineerPlace},
    error::{StoreError, Trouble},
    event::StatusChangeFilter,
    idempotency::{Claimed, Kept, OnceKey},
    keyset::Keyset,
    lease::Fence,
    link::{Answer, Consent, Link},
    measure::{QueueKind, QueueMeasure, RollMeasure},
    outbox::OutboxMessage,
    page::CheckedChannels,
    queue::{Claim, Queue, Work, WorkKind},
    reseal::Resealed,
    seal::{NamedKey, ReloadKeys, Sealer, SealerKeys, token_hash},
    subscription::Subscription,
    summary::{ChannelCount, RosterCounts},
    tx::{Committed, Tx},
};

/// What is called after each commit that wrote events or work, so that nobody has to wait for the next poll.
pub type OnCommit = Arc<dyn Fn() + Send + Sync>;

/// What is called after each statement, with its text. The text holds placeholders where the values were, so no contact data.
pub type OnStatement = Arc<dyn Fn(&str) + Send + Sync>;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    /// One connection on SQLite, where there is one writer at a time; the pool on PostgreSQL.
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    sealer: Sealer,
    on_commit: OnCommit,
}

impl Store {
    /// What one account holds, for reading.
    pub fn rows<'a>(&'a self, account: &'a AccountId) -> Rows<'a, DatabaseConnection> {
        Rows { db: &self.inner.reader, account, sealer: &self.inner.sealer }
    }

    /// What waits for the workers, over all accounts.
    pub fn queue(&self) -> Queue<'_> {
        Queue { store: self }
    }

    /// What seals and hashes for this store.
    pub fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    fn writer(&self) -> &DatabaseConnection {
        &self.inner.writer
    }

    fn reader(&self) -> &DatabaseConnection {
        &self.inner.reader
    }
}

/// What one account holds, through a connection or a transaction. What writes or locks is there for transactions only: through a
/// connection it would stand outside the commit that its events belong to.
pub struct Rows<'a, C: ConnectionTrait> {
    db: &'a C,
    account: &'a AccountId,
    sealer: &'a Sealer,
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// The account.
    pub fn account(&self) -> &AccountId {
        self.account
    }
}
