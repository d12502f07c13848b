//! A directory sync, live.

use async_graphql::{Context, ID, Subscription};
use futures_util::stream::{BoxStream, StreamExt};

use super::{Source, Watch, into_stream};
use crate::{
    domain::{actor::Permission, event::Event, id::DirectorySyncId},
    graphql::{
        context::Caller,
        error::{Fault, Result},
        object::directory_sync::DirectorySync,
    },
};

/// A directory sync.
#[derive(Default)]
pub(in crate::graphql) struct DirectorySyncLive;

#[Subscription]
impl DirectorySyncLive {
    /// A directory sync: its present state at once, then each change that the client is quick enough to see. Ends when the run
    /// ends. Not for an ENGINEER.
    async fn directory_sync_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the directory sync.")] id: ID,
    ) -> Result<BoxStream<'static, Result<DirectorySync>>> {
        Caller::of(ctx)?.actor.require(Permission::ViewRoll)?;
        let sync = id.parse().map_err(|_| unknown())?;
        let watch = Watch::begin(ctx, None).await?;
        Ok(into_stream(Progress { watch, sync, state: State::Beginning }).boxed())
    }
}

fn unknown() -> Fault {
    Fault::bad_input("There is no directory sync with this id.")
}

/// Whether the run got further by that event.
fn tells_of(event: &Event, wanted: DirectorySyncId) -> bool {
    match event {
        Event::SyncProgressed { sync } => *sync == wanted,
        Event::RollChanged { sync, .. } => *sync == Some(wanted),
        Event::StatusChanged(_) | Event::EngineerChanged { .. } => false,
    }
}

struct Progress {
    watch: Watch,
    sync: DirectorySyncId,
    state: State,
}

enum State {
    Beginning,
    Going,
    Ended,
}

impl Source for Progress {
    type Item = DirectorySync;

    async fn next(&mut self) -> Result<Option<DirectorySync>> {
        match self.state {
            State::Beginning => {}
            State::Going => {
                while !self.watch.next_together().await?.iter().any(|logged| tells_of(&logged.event, self.sync)) {}
            }
            State::Ended => return Ok(None),
        }
        let caller = self.watch.caller();
        let run = caller.store().rows(caller.account()).find_sync(self.sync).await?.ok_or_else(unknown)?;
        self.state = if run.state.has_ended() { State::Ended } else { State::Going };
        Ok(Some(DirectorySync::new(run)))
    }
}
