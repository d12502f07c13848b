//! What all live streams share: following the log for a caller for as long as they may.

use std::{collections::VecDeque, future::Future, sync::Arc, time::Duration};

use async_graphql::Context;
use futures_util::{FutureExt, Stream, stream};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::{
    auth::Authenticator,
    domain::{
        account::Locale,
        actor::Actor,
        event::{Event, LoggedEvent},
    },
    graphql::{
        context::{Caller, Session, data},
        error::{Fault, Result},
    },
    live::{Follow, Live},
    service::Services,
};

/// The shortest wait between two looks at whether the caller may still follow.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// The longest one: the clock that the token's end is read from may be set meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The log of the caller's account, followed for as long as the caller may.
pub(in crate::graphql) struct Watch {
    follow: Follow,
    waiting: VecDeque<LoggedEvent>,
    services: Services,
    session: Session,
    authenticator: Arc<Authenticator>,
    /// When to look again at whether the caller may still follow, however much or little happens.
    check_at: Instant,
}

impl Watch {
    /// Follows the log from what comes after the cursor, or from now.
    pub async fn begin(ctx: &Context<'_>, after: Option<String>) -> Result<Self> {
        let session = data::<Session>(ctx)?.clone();
        let read = |text: String| text.parse().map_err(|_| Fault::bad_input("after is not a cursor of the event log."));
        let after = after.map(read).transpose()?;
        let follow = data::<Live>(ctx)?.follow(&session.actor.account, after).await?;
        let mut watch = Self {
            follow,
            waiting: VecDeque::new(),
            services: data::<Services>(ctx)?.clone(),
            session,
            authenticator: data::<Arc<Authenticator>>(ctx)?.clone(),
            check_at: Instant::now(),
        };
        watch.set_next_check();
        Ok(watch)
    }

    /// The caller and what the stream works with.
    pub fn caller(&self) -> Caller<'_> {
        Caller { services: &self.services, actor: &self.session.actor, locale: self.locale() }
    }

    /// The epoch of the log.
    pub fn epoch(&self) -> Uuid {
        self.follow.cursor().epoch
    }

    /// Whether the caller may still follow.
    ///
    /// # Errors
    /// When the token died, or the engineer whom it is for is no longer ACTIVE.
    pub async fn check(&self) -> Result<()> {
        if self.authenticator.still_valid(&self.session.actor).await { Ok(()) } else { Err(Fault::unauthenticated()) }
    }

    /// The next event. Waits until there is one, and ends with an error when the caller may no longer follow, also where nothing
    /// happens.
    pub async fn next(&mut self) -> Result<LoggedEvent> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(event);
            }
            self.wait().await?;
        }
    }

    /// The next events that are there together: at least one.
    pub async fn next_together(&mut self) -> Result<Vec<LoggedEvent>> {
        let first = self.next().await?;
        Ok([first].into_iter().chain(self.waiting.drain(..)).collect())
    }

    /// The events that are there already, without waiting: possibly none.
    pub fn take_ready(&mut self) -> Result<Vec<LoggedEvent>> {
        let mut ready: Vec<_> = self.waiting.drain(..).collect();
        while let Some(more) = self.follow.next().now_or_never() {
            ready.extend(more?);
        }
        Ok(ready)
    }

    /// Waits for events that nobody took yet.
    async fn wait(&mut self) -> Result<()> {
        while self.waiting.is_empty() {
            if self.check_at <= Instant::now() {
                self.check().await?;
                self.set_next_check();
            }
            let Ok(events) = timeout_at(self.check_at, self.follow.next()).await else { continue };
            self.waiting.extend(events?);
            // The stream itself may want none of them, and must end all the same.
            if self.waiting.iter().any(|logged| self.may_end_by(&logged.event)) {
                self.check().await?;
            }
        }
        Ok(())
    }

    /// Whether the event may take from the caller the right to follow.
    fn may_end_by(&self, event: &Event) -> bool {
        match event {
            Event::EngineerChanged { engineer, .. } => self.actor().engineer == Some(*engineer),
            Event::RollChanged { .. } => self.actor().engineer.is_some(),
            Event::StatusChanged(_) | Event::SyncProgressed { .. } => false,
        }
    }

    fn set_next_check(&mut self) {
        let left = self.actor().expires_at.map(|end| (end - self.services.now()).to_std().unwrap_or_default());
        self.check_at = Instant::now() + left.unwrap_or(LONGEST_WAIT).clamp(SHORTEST_WAIT, LONGEST_WAIT);
    }

    const fn actor(&self) -> &Actor {
        &self.session.actor
    }

    const fn locale(&self) -> Locale {
        self.session.locale
    }
}

/// Something that a live stream is made of.
pub(in crate::graphql) trait Source: Send + 'static {
    /// What the stream tells.
    type Item: Send;

    /// What comes next; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Self::Item>>> + Send;
}

/// The stream of a source. It ends after its first error.
pub(in crate::graphql) fn into_stream<S: Source>(source: S) -> impl Stream<Item = Result<S::Item>> + Send + 'static {
    stream::unfold(Some(source), |source| async move {
        let mut source = source?;
        match source.next().await {
            Ok(Some(item)) => Some((Ok(item), Some(source))),
            Ok(None) => None,
            Err(fault) => Some((Err(fault), None)),
        }
    })
}
