//! What all live streams share: following the log for a caller for as long as they may.

use std::{collections::VecDeque, future::Future, sync::Arc};

use async_graphql::Context;
use futures_util::{FutureExt, Stream, stream};
use uuid::Uuid;

use super::course::Course;
use crate::{
    auth::Authenticator,
    domain::{
        actor::Actor,
        event::{Event, LoggedEvent, Position},
    },
    graphql::{
        context::{Caller, Session, data},
        error::{Fault, Result},
    },
    live::{Follow, Live},
    service::Services,
};

/// The log of the caller's account, followed for as long as the caller may.
///
/// Transports end a connection when its token does. Here ends the stream of an engineer who is not ACTIVE any more, by the event
/// that says so.
pub(in crate::graphql) struct Watch {
    follow: Follow,
    waiting: VecDeque<LoggedEvent>,
    course: Option<Arc<Course>>,
    services: Services,
    session: Session,
    authenticator: Arc<Authenticator>,
}

impl Watch {
    /// Follows the log from what comes after the cursor, or from now; or as the transport says.
    pub async fn begin(ctx: &Context<'_>, after: Option<String>) -> Result<Self> {
        let session = data::<Session>(ctx)?.clone();
        let course = ctx.data_opt::<Arc<Course>>().cloned();
        let read = |text: String| text.parse().map_err(|_| Fault::bad_input("after is not a cursor of the event log."));
        let after = match &course {
            Some(course) => Some(course.after()),
            None => after.map(read).transpose()?,
        };
        let follow = data::<Live>(ctx)?.follow(&session.actor.account, after).await?;
        Ok(Self {
            follow,
            waiting: VecDeque::new(),
            course,
            services: data::<Services>(ctx)?.clone(),
            session,
            authenticator: data::<Arc<Authenticator>>(ctx)?.clone(),
        })
    }

    /// The caller and what the stream works with.
    pub fn caller(&self) -> Caller<'_> {
        Caller { services: &self.services, actor: self.actor(), locale: self.session.locale }
    }

    /// The epoch of the log.
    pub fn epoch(&self) -> Uuid {
        self.follow.cursor().epoch
    }

    /// The stream tells of that event.
    pub fn passes(&self, logged: &LoggedEvent) {
        if let Some(course) = &self.course {
            course.passes(logged.position);
        }
    }

    fn has_read_to(&self, position: Position) {
        if let Some(course) = &self.course {
            course.has_read_to(position);
        }
    }

    /// The next event. Waits until there is one; `None` where the transport wants no more. Ends with an error when the caller may
    /// no longer follow.
    pub async fn next(&mut self) -> Result<Option<LoggedEvent>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                // Whoever asks for this one has dealt with those before it.
                self.has_read_to(Position(event.position.0 - 1));
                return Ok(Some(event));
            }
            let position = self.follow.cursor().position;
            self.has_read_to(position);
            if self.course.as_ref().is_some_and(|course| course.is_over_at(position)) {
                return Ok(None);
            }
            self.wait().await?;
        }
    }

    /// The next events that are there together: at least one, or none where the transport wants no more.
    pub async fn next_together(&mut self) -> Result<Vec<LoggedEvent>> {
        let first = self.next().await?;
        Ok(first.into_iter().chain(self.waiting.drain(..)).collect())
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
        self.waiting.extend(self.follow.next().await?);
        // The stream itself may want none of them, and must end all the same.
        if self.waiting.iter().any(|logged| self.may_end_by(&logged.event)) {
            self.check().await?;
        }
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        if self.authenticator.still_valid(self.actor()).await? { Ok(()) } else { Err(Fault::unauthenticated()) }
    }

    /// Whether the event may take from the caller the right to follow.
    fn may_end_by(&self, event: &Event) -> bool {
        match event {
            Event::EngineerChanged { engineer, .. } => self.actor().engineer == Some(*engineer),
            Event::RollChanged { .. } => self.actor().engineer.is_some(),
            Event::StatusChanged(_) | Event::SyncProgressed { .. } => false,
        }
    }

    const fn actor(&self) -> &Actor {
        &self.session.actor
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
