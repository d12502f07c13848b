//! The event log read as streams: one tail per process, many readers, positions. Knows nothing of GraphQL.
//!
//! The log in the database is the truth. The tail reads on from where it was whenever it is woken, and at least once per poll, and
//! keeps the newest entries of each account that has readers in a ring. A [`Follow`] holds nothing but its position: what the
//! ring still has it takes from there, and what lies before the ring it reads from the log. So a reader that stalls costs no
//! memory, and one that comes back with its last position misses nothing and sees nothing twice.

mod feed;
mod follow;
mod outage;
mod tail;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::{Notify, Semaphore};

use self::{feed::Feed, outage::Outage};
use crate::{
    domain::{
        event::{Cursor, CursorExpired, LogBounds, Position},
        id::AccountId,
    },
    store::{Store, StoreError},
};

pub use self::{follow::Follow, outage::BackOff};

/// The most events that one read of the log, or one [`Follow::next`], brings.
pub const BATCH: u64 = 256;

/// How many readers may read the log from the database at a time. The others wait their turn, so that thousands of clients that
/// come back at once leave connections for everyone else.
const CATCH_UP_READS: usize = 4;

/// How the log is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveOptions {
    /// The longest time between two looks at the log.
    pub poll: Duration,
    /// How many of the newest events of an account are kept in memory while it has readers. With 0 everything is read from the
    /// database.
    pub ring: usize,
}

impl LiveOptions {
    /// The ring that [`LiveOptions::polling`] sets, in events: less than half a megabyte per account.
    pub const DEFAULT_RING: usize = 4096;

    /// Looks at least every `poll`, and keeps [`LiveOptions::DEFAULT_RING`] events.
    pub const fn polling(poll: Duration) -> Self {
        Self { poll, ring: Self::DEFAULT_RING }
    }
}

/// The log could not be followed, or not any further.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// What follows the position is not to be had any more: the client must read afresh.
    #[error(transparent)]
    CursorExpired(#[from] CursorExpired),
    /// The database failed, or holds a bad row. A [`Follow`] sits a failing database out and ends with this on a bad row alone.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The live side of the event logs. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    options: LiveOptions,
    /// The accounts that have readers. A feed lives as long as its last reader.
    feeds: Mutex<HashMap<AccountId, Weak<Feed>>>,
    /// Tells the tail of a new feed: an event may have been committed between reading the bounds and making the feed.
    joined: Notify,
    catch_up: Semaphore,
    catch_up_outage: Outage,
}

impl Live {
    /// Nothing is followed until [`Live::run`] runs.
    pub fn new(store: Store, options: LiveOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                options,
                feeds: Mutex::default(),
                joined: Notify::new(),
                catch_up: Semaphore::new(CATCH_UP_READS),
                catch_up_outage: Outage::new("The event log cannot be read by those who catch up"),
            }),
        }
    }

    /// Follows the log of an account: from what comes after the cursor, or from now, which is the end of the log in the database at
    /// the time of the call.
    ///
    /// # Errors
    /// When the log cannot go on from the cursor, or the database fails.
    pub async fn follow(&self, account: &AccountId, after: Option<Cursor>) -> Result<Follow, FollowError> {
        let bounds = self.inner.store.rows(account).log_bounds().await?;
        let position = match after {
            Some(cursor) => bounds.resume(cursor)?,
            None => bounds.head,
        };
        Ok(Follow::new(self.clone(), self.join(account, bounds), position))
    }

    /// The end of the log, and the place from which a reader with that cursor goes on: the end, where it has none.
    ///
    /// # Errors
    /// When the log cannot go on from the cursor, or the database fails.
    pub async fn find_begin(
        &self,
        account: &AccountId,
        after: Option<Cursor>,
    ) -> Result<(Cursor, Position), FollowError> {
        let bounds = self.inner.store.rows(account).log_bounds().await?;
        let after = after.map(|cursor| bounds.resume(cursor)).transpose()?;
        Ok((bounds.head_cursor(), after.unwrap_or(bounds.head)))
    }

    /// The end of the log in the database. What is read after this call, together with the events after the cursor, leaves no gap.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head_cursor(&self, account: &AccountId) -> Result<Cursor, StoreError> {
        Ok(self.inner.store.rows(account).log_bounds().await?.head_cursor())
    }

    /// The account's feed; a new one if it has no readers yet.
    fn join(&self, account: &AccountId, bounds: LogBounds) -> Arc<Feed> {
        let mut feeds = self.feeds();
        if let Some(feed) = feeds.get(account).and_then(Weak::upgrade) {
            if feed.is_of(bounds.epoch) {
                return feed;
            }
            feed.end();
        }
        let feed = Arc::new(Feed::new(account.clone(), bounds, self.inner.options.ring));
        feeds.insert(account.clone(), Arc::downgrade(&feed));
        self.inner.joined.notify_one();
        feed
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<AccountId, Weak<Feed>>> {
        // No code that holds the lock can leave the map half changed.
        self.inner.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
