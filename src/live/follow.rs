//! One reader of one account's log.

use std::{sync::Arc, vec};

use futures_util::{Stream, stream};
use tokio::sync::watch;

use super::{
    BATCH, FollowError, Live,
    feed::{Feed, Ring, Taken, follow_unbroken},
    outage::{BackOff, may_pass},
};
use crate::{
    domain::event::{Cursor, CursorExpired, LogBounds, LoggedEvent, Position},
    store::StoreError,
};

/// One reader of one account's log. It holds its position and no events: what its client does not fetch stays in the log.
pub struct Follow {
    live: Live,
    /// Keeps the account's feed going.
    feed: Arc<Feed>,
    ring: watch::Receiver<Ring>,
    position: Position,
}

impl Follow {
    pub(super) fn new(live: Live, feed: Arc<Feed>, position: Position) -> Self {
        let ring = feed.subscribe();
        Self { live, feed, ring, position }
    }

    /// The place of the last event that was handed out; before the first one, the place where the reader began.
    pub fn cursor(&self) -> Cursor {
        self.feed.cursor(self.position)
    }

    /// The next events in the log's order, 1 to [`BATCH`] of them, each once. Waits until there is one, also while the database
    /// does not answer. Dropping the future before it is done loses nothing.
    ///
    /// # Errors
    /// When what follows was pruned or the log was replaced, or the log holds a bad row. The same error comes again if asked again.
    pub async fn next(&mut self) -> Result<Vec<LoggedEvent>, FollowError> {
        loop {
            let taken = self.ring.borrow_and_update().take(self.position);
            let events = match taken {
                Taken::Events(events) => events,
                Taken::NotHeld => self.read_log().await?,
                Taken::Ended => return Err(CursorExpired.into()),
                Taken::NothingNew => {
                    // The feed, which is held here, owns the other end.
                    self.ring.changed().await.map_err(|_| CursorExpired)?;
                    continue;
                }
            };
            if let Some(last) = events.last() {
                self.position = last.position;
                return Ok(events);
            }
        }
    }

    /// The events one by one. The stream holds at most [`BATCH`] of them, and ends after an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<LoggedEvent, FollowError>> + Send + 'static {
        let begin = (self, Vec::new().into_iter());
        stream::try_unfold(begin, |(mut follow, mut batch): (Self, vec::IntoIter<LoggedEvent>)| async move {
            loop {
                if let Some(event) = batch.next() {
                    return Ok(Some((event, (follow, batch))));
                }
                batch = follow.next().await?.into_iter();
            }
        })
    }

    /// Reads the next events from the database, which must have some, and sits its outages out.
    async fn read_log(&self) -> Result<Vec<LoggedEvent>, FollowError> {
        let mut back_off = BackOff::new();
        loop {
            match self.read_log_once().await {
                Ok((events, bounds)) => {
                    self.live.inner.catch_up_outage.end();
                    bounds.resume(self.cursor())?;
                    // A gap is never passed over in silence, whatever made it.
                    return if follow_unbroken(self.position, &events) {
                        Ok(events)
                    } else {
                        Err(CursorExpired.into())
                    };
                }
                Err(error) if may_pass(&error) => {
                    self.live.inner.catch_up_outage.begin(&error);
                    tokio::time::sleep(back_off.next_delay()).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn read_log_once(&self) -> Result<(Vec<LoggedEvent>, LogBounds), StoreError> {
        // The semaphore is never closed; if it were, reading without a permit would still be right.
        let _permit = self.live.inner.catch_up.acquire().await.ok();
        let rows = self.live.inner.store.rows(self.feed.account());
        let events = rows.list_events_after(self.position, BATCH).await?;
        // The bounds come second: pruning moves them before it deletes, so bounds that still reach back to the position prove
        // that nothing was missing from the events read before.
        let bounds = rows.log_bounds().await?;
        Ok((events, bounds))
    }
}
