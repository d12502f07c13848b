//! Counts over the roll, live.

use std::time::Duration;

use async_graphql::{Context, Subscription};
use futures_util::stream::{BoxStream, StreamExt};
use tokio::time::Instant;

use super::{Source, Watch, into_stream};
use crate::{
    domain::{
        actor::Permission,
        event::{Event, LoggedEvent},
    },
    graphql::{context::Caller, error::Result, object::roster_summary::RosterSummary},
};

/// The shortest time between two summaries.
const PACE: Duration = Duration::from_secs(1);

/// Counts over the roll.
#[derive(Default)]
pub(in crate::graphql) struct RosterSummaryLive;

#[Subscription]
impl RosterSummaryLive {
    /// The counts over the roll: the present ones at once, then again when something changed, at most once a second. Not for an
    /// ENGINEER.
    async fn roster_summary_changed(&self, ctx: &Context<'_>) -> Result<BoxStream<'static, Result<RosterSummary>>> {
        Caller::of(ctx)?.actor.require(Permission::ViewRoll)?;
        let watch = Watch::begin(ctx, None).await?;
        Ok(into_stream(Summaries { watch, last: None }).boxed())
    }
}

struct Summaries {
    watch: Watch,
    /// When the last one was counted.
    last: Option<Instant>,
}

/// Whether the event can change the counts.
fn counts(logged: &LoggedEvent) -> bool {
    match logged.event {
        Event::StatusChanged(_) | Event::EngineerChanged { .. } | Event::RollChanged { .. } => true,
        Event::SyncProgressed { .. } => false,
    }
}

impl Source for Summaries {
    type Item = RosterSummary;

    async fn next(&mut self) -> Result<Option<RosterSummary>> {
        if let Some(last) = self.last {
            while !self.watch.next_together().await?.iter().any(counts) {}
            tokio::time::sleep_until(last + PACE).await;
            // What happened meanwhile is in the counts that follow.
            self.watch.take_ready()?;
        }
        self.last = Some(Instant::now());
        let caller = self.watch.caller();
        RosterSummary::count(caller.services, caller.account()).await.map(Some)
    }
}
