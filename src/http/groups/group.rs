//! One group: everyone who follows the same live query with the same rights.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
};

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{query::LiveQuery, recent::Recent};
use crate::{
    domain::event::{Cursor, Position},
    graphql::Counting,
    http::sink::{Ending, Sink},
};

/// How many results a member that is behind is given in one go.
const HANDFUL: usize = 32;

/// Everyone who follows the same live query with the same rights. It is executed once, and each result goes to all.
pub(super) struct Group {
    pub(super) query: LiveQuery,
    epoch: Uuid,
    state: Mutex<State>,
    /// There may be nobody left.
    pub(super) deserted: Notify,
}

struct State {
    next_id: u64,
    /// How many there are, those that are behind among them.
    count: usize,
    /// Those that are given each result at once, as they came: what they own lies in memory in about that order, which is how it is
    /// read fastest. Each of them has everything up to `head`.
    prompt: BTreeMap<u64, Arc<Member>>,
    /// The same as a list; made anew when it changed.
    list: Option<Arc<[Arc<Member>]>>,
    /// The place of the newest result; in the beginning the place from which the group follows the log.
    head: Position,
    recent: Recent,
    ending: Option<Ending>,
}

/// One who follows.
pub(super) struct Member {
    id: u64,
    pub(super) sink: Arc<dyn Sink>,
    /// Everything up to here was handed on.
    position: AtomicI64,
    /// The place of the newest result when they came. What lies before it is shown to them as it is now, not as it was then: they
    /// come back with an old cursor, and who was on the roll then may have been erased since.
    came_at: Position,
    /// When their token or key ends, where it does.
    expires_at: Option<DateTime<Utc>>,
    left: AtomicBool,
    counting: Mutex<Counting>,
}

/// One who comes.
pub(super) struct Newcomer {
    pub sink: Arc<dyn Sink>,
    /// What comes after this place is wanted.
    pub after: Position,
    /// When their token or key ends, where it does.
    pub expires_at: Option<DateTime<Utc>>,
    pub counting: Counting,
}

impl Member {
    /// Tells the client, and who counts, how it ended.
    pub(super) fn end(&self, ending: &Ending) {
        self.note(ending);
        self.sink.end(ending);
    }

    /// Tells who counts.
    pub(super) fn note(&self, ending: &Ending) {
        match ending {
            Ending::Complete => {}
            Ending::Failed(failure) => {
                let mut counting = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
                counting.failed(failure.code);
            }
        }
    }

    pub(super) fn position(&self) -> Position {
        Position(self.position.load(Ordering::Acquire))
    }

    pub(super) fn may_follow(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    pub(super) fn advance(&self, position: Position) {
        self.position.fetch_max(position.0, Ordering::AcqRel);
    }
}

/// What a member that is behind has to do next.
pub(super) enum Next {
    /// Nothing: it is not behind any more.
    Joined,
    /// Take these results, the oldest first.
    Take(Vec<(Position, Bytes)>),
    /// Read the log up to that place by itself.
    Replay(Position),
    /// The group is over.
    End(Ending),
    /// Nothing: it left.
    Left,
}

impl Group {
    /// A group that follows the log from a place.
    pub(super) fn new(query: LiveQuery, begin: Cursor, kept: Arc<AtomicUsize>) -> Self {
        // The results of a query that cannot be resumed are counted from 1.
        let head = if query.sharing.resumable { begin.position } else { Position(0) };
        let state = State {
            next_id: 0,
            count: 0,
            prompt: BTreeMap::new(),
            list: None,
            head,
            recent: Recent::new(head, !query.sharing.resumable, kept),
            ending: None,
        };
        Self { query, epoch: begin.epoch, state: Mutex::new(state), deserted: Notify::new() }
    }

    /// The cursor of the newest result.
    pub(super) fn head(&self) -> Cursor {
        Cursor { epoch: self.epoch, position: self.state().head }
    }

    /// The cursor of a place in the group's log.
    pub(super) const fn cursor(&self, position: Position) -> Cursor {
        Cursor { epoch: self.epoch, position }
    }

    /// Adds one who wants what comes after a place. They are behind until [`Group::next_for`] says otherwise.
    pub(super) fn enroll(&self, newcomer: Newcomer) -> Arc<Member> {
        let Newcomer { sink, after, expires_at, counting } = newcomer;
        let mut state = self.state();
        state.next_id += 1;
        state.count += 1;
        let (position, came_at) = if self.query.sharing.resumable { (after, state.head) } else { Default::default() };
        Arc::new(Member {
            id: state.next_id,
            sink,
            position: AtomicI64::new(position.0),
            came_at,
            expires_at,
            left: AtomicBool::new(false),
            counting: Mutex::new(counting),
        })
    }

    /// Takes one out.
    pub(super) fn leave(&self, member: &Member) {
        let mut state = self.state();
        if member.left.swap(true, Ordering::AcqRel) {
            return;
        }
        state.remove(member.id);
        state.count -= 1;
        if state.count == 0 {
            self.deserted.notify_one();
        }
    }

    /// Whether nobody is there.
    pub(super) fn is_deserted(&self) -> bool {
        self.state().count == 0
    }

    /// Keeps a result, and lists those who are to be given it at once.
    pub(super) fn add(&self, position: Option<Position>, result: Bytes) -> (Position, Arc<[Arc<Member>]>) {
        let mut state = self.state();
        let position = position.unwrap_or(Position(state.head.0 + 1));
        state.head = position;
        state.recent.push(position, result);
        if state.list.is_none() {
            state.list = Some(state.prompt.values().cloned().collect());
        }
        (position, state.list.clone().unwrap_or_default())
    }

    /// The member could not take a result.
    pub(super) fn falls_behind(&self, member: &Member) {
        self.state().remove(member.id);
    }

    /// What a member that is behind has to do next.
    pub(super) fn next_for(&self, member: &Arc<Member>) -> Next {
        let mut state = self.state();
        if member.left.load(Ordering::Acquire) {
            return Next::Left;
        }
        let position = member.position();
        let held = if position < member.came_at { None } else { state.recent.take(position, HANDFUL) };
        match held {
            Some(results) if !results.is_empty() => Next::Take(results),
            None if state.ending.is_none() => Next::Replay(state.head),
            Some(_) | None => match &state.ending {
                Some(ending) => Next::End(ending.clone()),
                None => {
                    state.prompt.insert(member.id, Arc::clone(member));
                    state.list = None;
                    Next::Joined
                }
            },
        }
    }

    /// Ends the group. Those who are behind find out when they have taken what there was.
    pub(super) fn end(&self, ending: &Ending) {
        let members = {
            let mut state = self.state();
            state.ending = Some(ending.clone());
            state.list = None;
            std::mem::take(&mut state.prompt)
        };
        members.values().for_each(|member| member.end(ending));
    }

    /// Whether it is over.
    pub(super) fn has_ended(&self) -> bool {
        self.state().ending.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can leave the group half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove(&mut self, id: u64) {
        if self.prompt.remove(&id).is_some() {
            self.list = None;
        }
    }
}
