//! Groups: a live query that many follow is executed once, and each of its results is serialized once.
//!
//! A group follows the event log from where it began, and hands each result to its prompt members without waiting for any of
//! them. A member that comes with an older cursor, or whose client does not read, is behind: it catches up in a task of its own,
//! from the group's newest results or, if these do not reach back, by an execution of its own over the log, and joins the others
//! where it meets them. Nothing but its position is kept for it meanwhile, so nothing grows with what a client withholds.

mod group;
mod query;
mod recent;
mod run;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize},
    time::Duration,
};

pub(super) use self::query::LiveQuery;
use self::{
    group::{Group, Member, Newcomer},
    query::Key,
};
use super::{
    result::Failure,
    sink::{Ending, Sink},
};
use crate::{
    domain::{clock::Clock, event::Cursor},
    graphql::Gate,
    live::Live,
    metrics::Metrics,
};

/// How long a group goes on without members: those who reconnect find it again.
const LINGER: Duration = Duration::from_secs(5);

/// The groups of this process. Cheap to clone.
#[derive(Clone)]
pub struct Groups {
    inner: Arc<Inner>,
}

struct Inner {
    gate: Gate,
    live: Live,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// The memory that all groups' newest results take.
    kept: Arc<AtomicUsize>,
    groups: Mutex<HashMap<Key, Arc<Group>>>,
}

/// That someone follows. Dropped, they do not any more.
pub(super) struct Membership {
    group: Arc<Group>,
    member: Arc<Member>,
}

impl Membership {
    /// Tells who counts how it ends.
    pub(super) fn note(&self, ending: &Ending) {
        self.member.note(ending);
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.group.leave(&self.member);
    }
}

impl Groups {
    /// No groups yet.
    pub fn new(gate: Gate, live: Live, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self { inner: Arc::new(Inner { gate, live, clock, metrics, kept: Arc::default(), groups: Mutex::default() }) }
    }

    /// Follows a live query, and comes back once the results come by themselves: to the sink, until the membership is dropped.
    ///
    /// # Errors
    /// How it ended before that; `None` where nobody is there to be told.
    pub(super) async fn follow(&self, query: LiveQuery, sink: Arc<dyn Sink>) -> Result<Membership, Option<Ending>> {
        let mut counting = self.inner.gate.count_stream(&query.admitted);
        let begin = match self.inner.find_begin(&query).await {
            Ok(begin) => begin,
            Err(fault) => {
                let failure = Failure::from(fault);
                counting.failed(failure.code);
                return Err(Some(Ending::Failed(failure)));
            }
        };
        let expires_at = query.session.actor.expires_at;
        let newcomer = Newcomer { sink, after: begin.after, expires_at, counting };
        let membership = self.enroll(query, begin.head, newcomer);
        let caught_up = self.inner.catch_up(&membership.group, &membership.member).await;
        if let Err(Some(ending)) = &caught_up {
            membership.member.note(ending);
        }
        caught_up.map(|()| membership)
    }

    /// The group of the query, and a place in it.
    fn enroll(&self, query: LiveQuery, head: Cursor, newcomer: Newcomer) -> Membership {
        let key = query.key(head.epoch);
        let mut groups = self.inner.groups();
        let found = groups.get(&key).filter(|group| !group.has_ended());
        let group = found.cloned().unwrap_or_else(|| {
            let group = Arc::new(Group::new(query, head, Arc::clone(&self.inner.kept)));
            groups.insert(key.clone(), Arc::clone(&group));
            tokio::spawn(Arc::clone(&self.inner).run(key, Arc::clone(&group)));
            group
        });
        // Under the lock of the map: a group that has a member is not taken out of it.
        let member = group.enroll(newcomer);
        drop(groups);
        Membership { group, member }
    }
}

impl Inner {
    fn groups(&self) -> MutexGuard<'_, HashMap<Key, Arc<Group>>> {
        // No code that holds the lock can leave the map half changed.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
