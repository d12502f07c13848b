//! The one reader of the logs' ends that all the others share.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use tokio_util::sync::CancellationToken;

use super::{
    BATCH, Live,
    feed::{Feed, follow_unbroken},
    outage::{BackOff, Outage, may_pass},
};
use crate::{
    domain::{
        event::{LogBounds, Position},
        id::AccountId,
    },
    port::wakeup::Waiter,
    store::StoreError,
};

impl Live {
    /// The tail: tells the readers of what is new, until the shutdown. Run it once per process. Without it readers get what lies
    /// before their account's head and then wait.
    pub async fn run(self, mut waiter: Box<dyn Waiter>, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.tail(waiter.as_mut())).await;
    }

    async fn tail(&self, waiter: &mut dyn Waiter) {
        let outage = Outage::new("The event logs cannot be followed");
        let mut back_off = BackOff::new();
        loop {
            if let Err(error) = self.look().await {
                outage.begin(&error);
                tokio::time::sleep(back_off.next_delay()).await;
                continue;
            }
            outage.end();
            back_off = BackOff::new();
            tokio::select! {
                () = waiter.wait(self.inner.options.poll) => {}
                () = self.inner.joined.notified() => {}
            }
        }
    }

    /// One look at the logs of the accounts that have readers.
    async fn look(&self) -> Result<(), StoreError> {
        // Before the database is asked: a log's end, read later, then never lies before the feed's, unless the log is another.
        let feeds = self.list_feeds();
        if feeds.is_empty() {
            return Ok(());
        }
        let heads = self.inner.store.log_heads().await?;
        let heads: HashMap<AccountId, LogBounds> = heads.into_iter().map(|log| (log.account, log.bounds)).collect();
        for (feed, head) in feeds {
            match heads.get(feed.account()) {
                Some(bounds) if feed.is_of(bounds.epoch) && head <= bounds.head => {
                    self.advance(&feed, bounds.head).await?;
                }
                // A backup was restored beneath this process.
                Some(_) | None => self.end(&feed),
            }
        }
        Ok(())
    }

    /// The feeds that have readers, each with its head. Forgets the others.
    fn list_feeds(&self) -> Vec<(Arc<Feed>, Position)> {
        let mut feeds = self.feeds();
        feeds.retain(|_, feed| feed.strong_count() > 0);
        feeds.values().filter_map(Weak::upgrade).map(|feed| (Arc::clone(&feed), feed.head())).collect()
    }

    /// Reads on to the end of the log, and no more of it than the ring holds.
    ///
    /// Reading by position is complete, on PostgreSQL too: positions are handed out under the lock of the account's row, which is
    /// held to the commit, so whoever sees an event also sees all those before it. See `Tx::commit`.
    async fn advance(&self, feed: &Feed, head: Position) -> Result<(), StoreError> {
        let ring = i64::try_from(self.inner.options.ring).unwrap_or(i64::MAX);
        if head.0 - feed.head().0 > ring {
            feed.skip_to(Position(head.0 - ring));
        }
        while feed.head() < head {
            let after = feed.head();
            match self.inner.store.rows(feed.account()).list_events_after(after, BATCH).await {
                Ok(events) if follow_unbroken(after, &events) => feed.push(&events),
                // They were pruned already: the readers find out when they read the log themselves.
                Ok(_) => feed.skip_to(head),
                Err(error) if may_pass(&error) => return Err(error),
                Err(error) => {
                    tracing::error!(%error, account.id = %feed.account(), "Skipped a bad entry of the event log");
                    feed.skip_to(head);
                }
            }
        }
        Ok(())
    }

    fn end(&self, feed: &Arc<Feed>) {
        feed.end();
        let mut feeds = self.feeds();
        // A new reader may have replaced it already.
        if feeds.get(feed.account()).is_some_and(|present| Weak::ptr_eq(present, &Arc::downgrade(feed))) {
            feeds.remove(feed.account());
        }
    }
}
