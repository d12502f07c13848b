//! Status changes: the history of confirmations.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    choice::{ChannelKind, ConfirmationStatus, StatusChangeCause},
    engineer::Engineer,
};
use crate::{
    domain::{
        event::{Cursor, Event, LoggedEvent, Position, StatusChange as Change},
        id::EngineerId,
    },
    graphql::{connection::Listing, context::Caller, error::Result, loader::People, node::id, scalar::DateTime},
    store::{Keyset, StatusChangeFilter},
};

/// One change of a channel's confirmation status.
#[derive(Clone)]
pub(in crate::graphql) struct StatusChange {
    logged: LoggedEvent,
    change: Change,
    people: Arc<People>,
    epoch: Arc<OnceCell<Result<Uuid>>>,
}

impl StatusChange {
    /// An entry of the log and the people of its list; `None` for an entry of another kind. `epoch` is the log's, where it is
    /// known.
    pub fn new(logged: LoggedEvent, people: Arc<People>, epoch: Option<Uuid>) -> Option<Self> {
        let epoch = OnceCell::new_with(epoch.map(Ok));
        Self::of_list(logged, people, &Arc::new(epoch))
    }

    /// An entry of a list: of its people, and of the log's epoch, which the first of the list reads that needs it.
    pub fn of_list(logged: LoggedEvent, people: Arc<People>, epoch: &Arc<OnceCell<Result<Uuid>>>) -> Option<Self> {
        match logged.event {
            Event::StatusChanged(change) => Some(Self { logged, change, people, epoch: Arc::clone(epoch) }),
            Event::EngineerChanged { .. } | Event::RollChanged { .. } | Event::SyncProgressed { .. } => None,
        }
    }

    /// Whose channel changed.
    pub const fn engineer(&self) -> EngineerId {
        self.change.engineer
    }
}

/// One change of a channel's confirmation status, as the event log keeps it.
#[Object]
impl StatusChange {
    /// The id: opaque, and never reused.
    pub async fn id(&self) -> ID {
        id(self.logged.id)
    }

    /// The place in the event log: a live stream with this as after goes on with the next event.
    async fn cursor(&self, ctx: &Context<'_>) -> Result<String> {
        let caller = Caller::of(ctx)?;
        let read = || async {
            let bounds = caller.store().rows(caller.account()).log_bounds().await?;
            Ok(bounds.epoch)
        };
        let epoch = self.epoch.get_or_init(read).await.clone()?;
        Ok(Cursor { epoch, position: self.logged.position }.to_string())
    }

    /// When it changed.
    async fn occurred_at(&self) -> DateTime {
        DateTime(self.logged.occurred_at)
    }

    /// Whose channel.
    async fn engineer_id(&self) -> ID {
        id(self.change.engineer)
    }

    /// The same, as they are now; null once deleted.
    #[graphql(name = "engineer")]
    async fn find_engineer(&self) -> Option<Result<Engineer>> {
        self.people.find(self.change.engineer).await.transpose()
    }

    /// Which channel.
    async fn channel(&self) -> ChannelKind {
        self.change.channel.into()
    }

    /// The status that was left.
    async fn from(&self) -> ConfirmationStatus {
        self.change.from.into()
    }

    /// The status that was reached.
    async fn to(&self) -> ConfirmationStatus {
        self.change.to.into()
    }

    /// Why.
    async fn cause(&self) -> StatusChangeCause {
        self.change.cause.into()
    }
}

/// The status changes, newest first.
pub(in crate::graphql) enum StatusChanges {
    /// Those that are wanted.
    Wanted(StatusChangeFilter),
    /// Those of one engineer, who may be one of many in a list.
    Of(Engineer),
}

impl Listing for StatusChanges {
    type Row = LoggedEvent;
    type Node = StatusChange;
    type Place = Position;

    async fn list(&self, caller: Caller<'_>, keyset: &Keyset<Position>) -> Result<Vec<LoggedEvent>> {
        match self {
            Self::Wanted(filter) => {
                Ok(caller.store().rows(caller.account()).list_status_changes(filter, keyset).await?)
            }
            // A look beside the page is of this engineer alone; the page itself is the same for all.
            Self::Of(engineer) if keyset.limit == 1 => {
                let filter = StatusChangeFilter { engineers: Some(vec![engineer.key()]), ..Default::default() };
                Ok(caller.store().rows(caller.account()).list_status_changes(&filter, keyset).await?)
            }
            Self::Of(engineer) => engineer.mates().history(engineer.key(), keyset).await,
        }
    }

    async fn count(&self, caller: Caller<'_>) -> Result<u64> {
        match self {
            Self::Wanted(filter) => Ok(caller.store().rows(caller.account()).count_status_changes(filter).await?),
            Self::Of(engineer) => engineer.mates().history_length(engineer.key()).await,
        }
    }

    fn place_of(&self, row: &LoggedEvent) -> Position {
        row.position
    }

    fn show(&self, caller: Caller<'_>, rows: Vec<LoggedEvent>) -> Vec<StatusChange> {
        let (people, epoch) = match self {
            Self::Wanted(_) => {
                let named = rows.iter().filter_map(|logged| logged.event.engineer());
                (People::named(caller.services, caller.account(), named), Arc::default())
            }
            Self::Of(engineer) => {
                let epoch = Arc::clone(engineer.mates().epoch());
                (People::known(caller.services, caller.account(), engineer.clone()), epoch)
            }
        };
        rows.into_iter().filter_map(|logged| StatusChange::of_list(logged, Arc::clone(&people), &epoch)).collect()
    }

    fn write_place(&self, place: &Position) -> String {
        format!("changes|{}", place.0)
    }

    fn read_place(&self, text: &str) -> Option<Position> {
        text.strip_prefix("changes|")?.parse().ok().map(Position)
    }
}
