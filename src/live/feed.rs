//! What the readers of one account share: the newest entries of its log.

use std::collections::VecDeque;

use tokio::sync::watch;
use uuid::Uuid;

use super::BATCH;
use crate::domain::{
    event::{Cursor, LogBounds, LoggedEvent, Position},
    id::AccountId,
};

/// The newest entries of one account's log. Written by the tail alone.
pub(super) struct Feed {
    account: AccountId,
    epoch: Uuid,
    ring: watch::Sender<Ring>,
}

/// The entries up to the head, without gaps.
pub(super) struct Ring {
    capacity: usize,
    head: Position,
    /// Empty, or ending with the entry at `head`.
    entries: VecDeque<LoggedEvent>,
    /// The log was replaced by another.
    ended: bool,
}

/// What the ring has for a reader.
pub(super) enum Taken {
    /// The next events, at least one.
    Events(Vec<LoggedEvent>),
    /// Nothing happened since.
    NothingNew,
    /// There is more, but it lies before the ring.
    NotHeld,
    /// The log was replaced by another.
    Ended,
}

impl Feed {
    /// A feed that begins at the end of the log.
    pub(super) fn new(account: AccountId, bounds: LogBounds, capacity: usize) -> Self {
        let ring = Ring { capacity, head: bounds.head, entries: VecDeque::new(), ended: false };
        Self { account, epoch: bounds.epoch, ring: watch::Sender::new(ring) }
    }

    pub(super) fn account(&self) -> &AccountId {
        &self.account
    }

    /// The cursor of a place in this log.
    pub(super) fn cursor(&self, position: Position) -> Cursor {
        Cursor { epoch: self.epoch, position }
    }

    /// Whether this is that log, and goes on.
    pub(super) fn is_of(&self, epoch: Uuid) -> bool {
        self.epoch == epoch && !self.ring.borrow().ended
    }

    pub(super) fn head(&self) -> Position {
        self.ring.borrow().head
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Ring> {
        self.ring.subscribe()
    }

    /// Adds the entries that follow the head, and wakes the readers.
    pub(super) fn push(&self, events: &[LoggedEvent]) {
        let Some(last) = events.last() else { return };
        self.ring.send_modify(|ring| {
            ring.entries.extend(events);
            let surplus = ring.entries.len().saturating_sub(ring.capacity);
            ring.entries.drain(..surplus);
            ring.head = last.position;
        });
    }

    /// Goes on from a later place. Readers before it find out from the log itself what became of the entries between.
    pub(super) fn skip_to(&self, head: Position) {
        self.ring.send_modify(|ring| {
            ring.entries.clear();
            ring.head = head;
        });
    }

    /// Ends the readers: the log that they read is no more.
    pub(super) fn end(&self) {
        self.ring.send_modify(|ring| ring.ended = true);
    }
}

impl Ring {
    /// What comes after a place.
    pub(super) fn take(&self, after: Position) -> Taken {
        if self.ended {
            return Taken::Ended;
        }
        // A reader that came from the database may be ahead of the tail.
        if after >= self.head {
            return Taken::NothingNew;
        }
        let held = self.entries.front().is_some_and(|first| first.position.0 <= after.0 + 1);
        if !held {
            return Taken::NotHeld;
        }
        let begin = self.entries.partition_point(|event| event.position <= after);
        let batch = usize::try_from(BATCH).unwrap_or(usize::MAX);
        Taken::Events(self.entries.range(begin..).take(batch).copied().collect())
    }
}

/// Whether these are the entries that follow a place: at least one, and none missing between.
pub(super) fn follow_unbroken(after: Position, events: &[LoggedEvent]) -> bool {
    !events.is_empty() && (after.0 + 1..).zip(events).all(|(position, event)| event.position.0 == position)
}
