//! Changes of engineers, live.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Subscription};
use futures_util::stream::{BoxStream, StreamExt};

use super::{Source, Watch, into_stream};
use crate::{
    domain::{
        event::{Cursor, EngineerChangeKind as Kind, Event, LoggedEvent},
        id::{DirectorySyncId, EngineerId},
    },
    graphql::{
        context::Caller,
        error::Result,
        loader::People,
        node::{find_sync, id},
        object::{directory_sync::DirectorySync, engineer::Engineer},
        query::filter::EngineerFilter,
        scalar::DateTime,
    },
    store,
};

/// Changes of engineers.
#[derive(Default)]
pub(in crate::graphql) struct EngineerLive;

#[Subscription]
impl EngineerLive {
    /// Each change of an engineer, and one ROLL_CHANGED for each chunk of a bulk run, in order. Resume with the cursor of the last
    /// one as after. An ENGINEER gets only their own.
    async fn engineer_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cursor to go on after; from now where it is null.")] after: Option<String>,
        #[graphql(
            desc = "Whose changes; everyone's where it is left out. It is judged by how the engineer is now. DELETED comes for \
                    everyone among ids, since the rest cannot be judged any more, and ROLL_CHANGED comes always."
        )]
        filter: Option<EngineerFilter>,
    ) -> Result<BoxStream<'static, Result<EngineerChange>>> {
        let watch = Watch::begin(ctx, after).await?;
        let filter = filter.unwrap_or_default().judge(watch.caller())?;
        Ok(into_stream(Changes { watch, filter }).boxed())
    }
}

/// What became of an engineer, or of the roll.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graphql) enum EngineerChangeKind {
    /// They came onto the roll, or came back.
    Created,
    /// They were edited.
    Updated,
    /// They were deleted.
    Deleted,
    /// A chunk of a bulk run changed several people at once: read what is shown afresh.
    RollChanged,
}

/// A change of an engineer, or of the roll by a bulk run.
pub(in crate::graphql) struct EngineerChange {
    logged: LoggedEvent,
    cursor: Cursor,
    kind: EngineerChangeKind,
    engineer: Option<EngineerId>,
    people: Arc<People>,
    sync: Option<DirectorySyncId>,
    count: Option<i32>,
}

/// A change of an engineer, or of the roll by a bulk run.
#[Object]
impl EngineerChange {
    /// The place in the event log: a stream with this as after goes on with the next event.
    async fn cursor(&self) -> String {
        self.cursor.to_string()
    }

    /// When it happened.
    async fn occurred_at(&self) -> DateTime {
        DateTime(self.logged.occurred_at)
    }

    /// What became of them.
    async fn kind(&self) -> EngineerChangeKind {
        self.kind
    }

    /// Who; null for ROLL_CHANGED.
    async fn engineer_id(&self) -> Option<ID> {
        self.engineer.map(id)
    }

    /// The same, as they are now; null for ROLL_CHANGED and once deleted.
    async fn engineer(&self) -> Option<Result<Engineer>> {
        self.people.find(self.engineer?).await.transpose()
    }

    /// The directory sync of a ROLL_CHANGED; null for an import, and for callers who may not see the whole roll.
    async fn directory_sync(&self, ctx: &Context<'_>) -> Option<Result<DirectorySync>> {
        let sync = self.sync?;
        match Caller::of(ctx) {
            Ok(caller) => find_sync(caller, sync).await.transpose(),
            Err(fault) => Some(Err(fault)),
        }
    }

    /// How many people a ROLL_CHANGED concerns; null for callers who may not see the whole roll.
    async fn count(&self) -> Option<i32> {
        self.count
    }
}

struct Changes {
    watch: Watch,
    filter: store::EngineerFilter,
}

impl Changes {
    /// Whether the change is wanted.
    async fn wants(&self, event: &Event) -> Result<bool> {
        match event {
            Event::StatusChanged(_) | Event::SyncProgressed { .. } => Ok(false),
            Event::RollChanged { .. } => Ok(true),
            Event::EngineerChanged { engineer, kind } => {
                let named = self.filter.ids.as_ref().is_none_or(|ids| ids.contains(engineer));
                match kind {
                    Kind::Created | Kind::Updated if named && !self.filter.is_by_id_alone() => {
                        let caller = self.watch.caller();
                        Ok(caller.store().rows(caller.account()).engineer_matches(*engineer, &self.filter).await?)
                    }
                    Kind::Created | Kind::Updated | Kind::Deleted => Ok(named),
                }
            }
        }
    }

    fn show(&self, logged: LoggedEvent) -> EngineerChange {
        let caller = self.watch.caller();
        let engineer = logged.event.engineer();
        let mut change = EngineerChange {
            logged,
            cursor: Cursor { epoch: self.watch.epoch(), position: logged.position },
            kind: EngineerChangeKind::RollChanged,
            engineer,
            people: People::named(caller.services, caller.account(), engineer),
            sync: None,
            count: None,
        };
        match logged.event {
            Event::EngineerChanged { kind, .. } => change.kind = show_kind(kind),
            Event::RollChanged { sync, count } => {
                change.sync = sync;
                change.count = Some(count).filter(|_| caller.views_roll());
            }
            Event::StatusChanged(_) | Event::SyncProgressed { .. } => {}
        }
        change
    }
}

const fn show_kind(kind: Kind) -> EngineerChangeKind {
    match kind {
        Kind::Created => EngineerChangeKind::Created,
        Kind::Updated => EngineerChangeKind::Updated,
        Kind::Deleted => EngineerChangeKind::Deleted,
    }
}

impl Source for Changes {
    type Item = EngineerChange;

    async fn next(&mut self) -> Result<Option<EngineerChange>> {
        loop {
            let Some(logged) = self.watch.next().await? else { return Ok(None) };
            if self.wants(&logged.event).await? {
                self.watch.passes(&logged);
                return Ok(Some(self.show(logged)));
            }
        }
    }
}
