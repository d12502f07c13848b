//! Changes of confirmation statuses, live.

use async_graphql::{Context, Subscription};
use futures_util::stream::{BoxStream, StreamExt};

use super::{Source, Watch, into_stream};
use crate::{
    domain::event::{Event, LoggedEvent},
    graphql::{error::Result, loader::People, object::status_change::StatusChange, query::filter::StatusChangeFilter},
    store,
};

/// Changes of confirmation statuses.
#[derive(Default)]
pub(in crate::graphql) struct ConfirmationLive;

#[Subscription]
impl ConfirmationLive {
    /// Each change of a channel's confirmation status, in order. Resume with the cursor of the last one as after: nothing is lost
    /// and nothing comes twice. An ENGINEER gets only their own.
    async fn confirmation_status_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cursor to go on after; from now where it is null.")] after: Option<String>,
        #[graphql(desc = "Which changes; all where it is left out.")] filter: Option<StatusChangeFilter>,
    ) -> Result<BoxStream<'static, Result<StatusChange>>> {
        let watch = Watch::begin(ctx, after).await?;
        let filter = filter.unwrap_or_default().judge(watch.caller())?;
        Ok(into_stream(Changes { watch, filter }).boxed())
    }
}

struct Changes {
    watch: Watch,
    filter: store::StatusChangeFilter,
}

impl Changes {
    fn wants(&self, logged: &LoggedEvent) -> bool {
        match &logged.event {
            Event::StatusChanged(change) => self.filter.lets(change),
            Event::EngineerChanged { .. } | Event::RollChanged { .. } | Event::SyncProgressed { .. } => false,
        }
    }
}

impl Source for Changes {
    type Item = StatusChange;

    async fn next(&mut self) -> Result<Option<StatusChange>> {
        loop {
            let Some(logged) = self.watch.next().await? else { return Ok(None) };
            if !self.wants(&logged) {
                continue;
            }
            self.watch.passes(&logged);
            let caller = self.watch.caller();
            let people = People::named(caller.services, caller.account(), logged.event.engineer());
            if let Some(change) = StatusChange::new(logged, people, Some(self.watch.epoch())) {
                return Ok(Some(change));
            }
        }
    }
}
