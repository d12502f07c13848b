//! The event log.

use entity::event;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{Keyset, Rows, StoreError, row::Place};
use crate::domain::{
    channel::ChannelKind,
    confirmation::{ConfirmationStatus, StatusChangeCause},
    event::{EngineerChangeKind, Event, LoggedEvent, Position, StatusChange},
    id::{AccountId, DirectorySyncId, EngineerId, EventId},
};

pub(super) const STATUS_CHANGED: &str = "STATUS_CHANGED";
const ENGINEER_CHANGED: &str = "ENGINEER_CHANGED";
const ROLL_CHANGED: &str = "ROLL_CHANGED";
const SYNC_PROGRESSED: &str = "SYNC_PROGRESSED";

/// Which status changes are wanted. `None` means: any. An empty list matches none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusChangeFilter {
    /// Of these engineers.
    pub engineers: Option<Vec<EngineerId>>,
    /// Of these channels.
    pub channels: Option<Vec<ChannelKind>>,
    /// To these statuses.
    pub to: Option<Vec<ConfirmationStatus>>,
    /// For these causes.
    pub causes: Option<Vec<StatusChangeCause>>,
}

impl StatusChangeFilter {
    /// Whether a change is wanted: the same rule as the one in SQL, for live streams.
    pub fn lets(&self, change: &StatusChange) -> bool {
        fn allows<T: PartialEq>(wanted: Option<&Vec<T>>, value: &T) -> bool {
            wanted.is_none_or(|wanted| wanted.contains(value))
        }
        allows(self.engineers.as_ref(), &change.engineer)
            && allows(self.channels.as_ref(), &change.channel)
            && allows(self.to.as_ref(), &change.to)
            && allows(self.causes.as_ref(), &change.cause)
    }

    fn condition(&self) -> Condition {
        let keys = |ids: &[EngineerId]| ids.iter().map(|id| id.0).collect::<Vec<Uuid>>();
        let mut condition = Condition::all().add(event::Column::Kind.eq(STATUS_CHANGED));
        if let Some(engineers) = &self.engineers {
            condition = condition.add(event::Column::EngineerId.is_in(keys(engineers)));
        }
        if let Some(channels) = &self.channels {
            condition = condition.add(event::Column::Channel.is_in(channels.iter().map(|kind| kind.name())));
        }
        if let Some(to) = &self.to {
            condition = condition.add(event::Column::StatusTo.is_in(to.iter().map(|status| status.name())));
        }
        if let Some(causes) = &self.causes {
            condition = condition.add(event::Column::Cause.is_in(causes.iter().map(|cause| cause.name())));
        }
        condition
    }
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// The entries after a place, oldest first, `limit` at most.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_events_after(&self, position: Position, limit: u64) -> Result<Vec<LoggedEvent>, StoreError> {
        let rows = event::Entity::find()
            .filter(event::Column::Account.eq(self.account.as_str()))
            .filter(event::Column::Position.gt(position.0))
            .order_by_asc(event::Column::Position)
            .limit(limit)
            .all(self.db)
            .await?;
        rows.iter().map(read_event).collect()
    }

    /// One page of the status changes, newest first.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_status_changes(
        &self,
        filter: &StatusChangeFilter,
        keyset: &Keyset<Position>,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        let list =
            event::Entity::find().filter(event::Column::Account.eq(self.account.as_str())).filter(filter.condition());
        // Newest first: what comes after a cursor is older.
        let column = event::Column::Position;
        let rows = keyset.stored(|position| position.0).select(self.db, list, column, &Order::Desc).await?;
        rows.iter().map(read_event).collect()
    }

    /// How many status changes there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_status_changes(&self, filter: &StatusChangeFilter) -> Result<u64, StoreError> {
        Ok(event::Entity::find()
            .filter(event::Column::Account.eq(self.account.as_str()))
            .filter(filter.condition())
            .count(self.db)
            .await?)
    }

    /// The status changes with these ids; unknown ids are left out.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_status_changes(&self, ids: &[EventId]) -> Result<Vec<LoggedEvent>, StoreError> {
        let rows = event::Entity::find()
            .filter(event::Column::Account.eq(self.account.as_str()))
            .filter(event::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .filter(event::Column::Kind.eq(STATUS_CHANGED))
            .all(self.db)
            .await?;
        rows.iter().map(read_event).collect()
    }
}

pub(super) fn event_row(account: &AccountId, logged: &LoggedEvent) -> event::ActiveModel {
    let mut row = event::ActiveModel {
        account: Set(account.to_string()),
        position: Set(logged.position.0),
        id: Set(logged.id.0),
        occurred_at: Set(logged.occurred_at),
        kind: Set(String::new()),
        engineer_id: Set(logged.event.engineer().map(|id| id.0)),
        channel: Set(None),
        status_from: Set(None),
        status_to: Set(None),
        cause: Set(None),
        change: Set(None),
        sync_id: Set(None),
        count: Set(None),
    };
    let text = |name: &str| Set(Some(name.to_owned()));
    let kind = match logged.event {
        Event::StatusChanged(change) => {
            row.channel = text(change.channel.name());
            row.status_from = text(change.from.name());
            row.status_to = text(change.to.name());
            row.cause = text(change.cause.name());
            STATUS_CHANGED
        }
        Event::EngineerChanged { kind, .. } => {
            row.change = text(kind.name());
            ENGINEER_CHANGED
        }
        Event::RollChanged { sync, count } => {
            row.sync_id = Set(sync.map(|id| id.0));
            row.count = Set(Some(count));
            ROLL_CHANGED
        }
        Event::SyncProgressed { sync } => {
            row.sync_id = Set(Some(sync.0));
            SYNC_PROGRESSED
        }
    };
    row.kind = Set(kind.to_owned());
    row
}

pub(super) fn read_event(row: &event::Model) -> Result<LoggedEvent, StoreError> {
    let place = Place { table: "event", id: &row.id };
    let engineer = || place.need("engineer_id", row.engineer_id).map(EngineerId);
    let sync = || row.sync_id.map(DirectorySyncId);
    let event = match row.kind.as_str() {
        STATUS_CHANGED => Event::StatusChanged(read_status_change(row, engineer()?, &place)?),
        ENGINEER_CHANGED => Event::EngineerChanged {
            engineer: engineer()?,
            kind: place.need("change", row.change.as_deref().and_then(EngineerChangeKind::from_name))?,
        },
        ROLL_CHANGED => Event::RollChanged { sync: sync(), count: place.need("count", row.count)? },
        SYNC_PROGRESSED => Event::SyncProgressed { sync: place.need("sync_id", sync())? },
        _ => return Err(place.bad("kind")),
    };
    Ok(LoggedEvent { id: EventId(row.id), position: Position(row.position), occurred_at: row.occurred_at, event })
}

fn read_status_change(row: &event::Model, engineer: EngineerId, place: &Place<'_>) -> Result<StatusChange, StoreError> {
    let status =
        |column, value: &Option<String>| place.need(column, value.as_deref().and_then(ConfirmationStatus::from_name));
    Ok(StatusChange {
        engineer,
        channel: place.need("channel", row.channel.as_deref().and_then(ChannelKind::from_name))?,
        from: status("status_from", &row.status_from)?,
        to: status("status_to", &row.status_to)?,
        cause: place.need("cause", row.cause.as_deref().and_then(StatusChangeCause::from_name))?,
    })
}
