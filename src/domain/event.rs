//! The event log of one account: what happened, in the order in which it was committed.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    channel::ChannelKind,
    confirmation::{ConfirmationStatus, StatusChangeCause, Step},
    id::{DirectorySyncId, EngineerId, EventId},
    named::named,
};

/// A place in the event log of one account. Positions are handed out in the order of the commits, from 1 on, without gaps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(pub i64);

/// The clients' form of a position: opaque, and bound to one log. A restored backup begins a new log epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The log.
    pub epoch: Uuid,
    /// The place in it.
    pub position: Position,
}

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of the event log")]
pub struct InvalidCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}", self.epoch.simple(), self.position.0)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (epoch, position) = text.split_once('.').ok_or(InvalidCursor)?;
        // The parsers below also take signs and the other ways to write a UUID.
        if epoch.len() != 32 || !position.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidCursor);
        }
        let epoch = Uuid::try_parse(epoch).map_err(|_| InvalidCursor)?;
        let position = i64::from_str_radix(position, 16).map_err(|_| InvalidCursor)?;
        Ok(Self { epoch, position: Position(position) })
    }
}

named! {
    /// What became of an engineer.
    pub enum EngineerChangeKind {
        /// They came onto the roll, or came back.
        Created = "CREATED",
        /// They were edited.
        Updated = "UPDATED",
        /// They were deleted.
        Deleted = "DELETED",
    }
}

/// A change of one channel's confirmation status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusChange {
    /// Whose channel.
    pub engineer: EngineerId,
    /// Which channel.
    pub channel: ChannelKind,
    /// The status that was left.
    pub from: ConfirmationStatus,
    /// The status that was reached.
    pub to: ConfirmationStatus,
    /// Why.
    pub cause: StatusChangeCause,
}

impl StatusChange {
    /// The entry for a step of a channel.
    pub const fn of(engineer: EngineerId, channel: ChannelKind, step: &Step) -> Self {
        Self { engineer, channel, from: step.from.status(), to: step.to.status(), cause: step.cause }
    }
}

/// What the log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A channel's status changed.
    StatusChanged(StatusChange),
    /// One engineer changed.
    EngineerChanged {
        /// Who.
        engineer: EngineerId,
        /// How.
        kind: EngineerChangeKind,
    },
    /// A chunk of a bulk run changed several engineers at once.
    RollChanged {
        /// The run; `None` where the bulk run is an import.
        sync: Option<DirectorySyncId>,
        /// How many people.
        count: i32,
    },
    /// A directory sync got further.
    SyncProgressed {
        /// The run.
        sync: DirectorySyncId,
    },
}

impl Event {
    /// The engineer concerned, where there is one.
    pub const fn engineer(&self) -> Option<EngineerId> {
        match self {
            Self::StatusChanged(change) => Some(change.engineer),
            Self::EngineerChanged { engineer, .. } => Some(*engineer),
            Self::RollChanged { .. } | Self::SyncProgressed { .. } => None,
        }
    }
}

/// An entry of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoggedEvent {
    /// The entry's id.
    pub id: EventId,
    /// Its place.
    pub position: Position,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// What happened.
    pub event: Event,
}

/// How far the log of one account reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBounds {
    /// The log.
    pub epoch: Uuid,
    /// Entries up to here were pruned.
    pub pruned_to: Position,
    /// The last entry.
    pub head: Position,
}

/// The log no longer, or never, held what follows the cursor: the client must read afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is of another log, or what follows it was pruned")]
pub struct CursorExpired;

impl LogBounds {
    /// The cursor of the log's end.
    pub const fn head_cursor(&self) -> Cursor {
        self.cursor(self.head)
    }

    /// The cursor of a place in this log.
    pub const fn cursor(&self, position: Position) -> Cursor {
        Cursor { epoch: self.epoch, position }
    }

    /// The place from which a stream that last saw `cursor` goes on.
    ///
    /// # Errors
    /// When the cursor is of another log, lies ahead of this one, or lies before what was pruned.
    pub fn resume(&self, cursor: Cursor) -> Result<Position, CursorExpired> {
        let held = self.pruned_to <= cursor.position && cursor.position <= self.head;
        if cursor.epoch == self.epoch && held { Ok(cursor.position) } else { Err(CursorExpired) }
    }
}
