//! Running a group, and catching up with it.

use std::sync::Arc;

use async_graphql::Response;
use axum::body::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream::BoxStream};
use tokio::{
    task::yield_now,
    time::{Instant, sleep, timeout_at},
};

use super::{
    Inner, LINGER,
    group::{Group, Member, Next},
    query::{Key, LiveQuery},
};
use crate::{
    domain::event::{Cursor, Position},
    graphql::{Course, Fault},
    http::{
        result::{Failure, read_event},
        sink::{Ending, Offer},
    },
    live::BackOff,
};

/// After how many members others have a turn.
const TURN: usize = 64;

/// Where a client begins.
pub(super) struct Begin {
    /// The end of the log.
    pub(super) head: Cursor,
    /// What comes after this place is wanted.
    pub(super) after: Position,
}

/// One execution of a query over the log.
struct Execution {
    responses: BoxStream<'static, Response>,
    course: Option<Arc<Course>>,
}

/// A result, with its place in the log where it has one.
struct Located {
    position: Option<Position>,
    result: Bytes,
}

impl Execution {
    /// Everything up to here was shown, or nobody wanted it.
    fn read_to(&self) -> Position {
        self.course.as_ref().map(|course| course.read_to()).unwrap_or_default()
    }

    /// The next result; `None` where there is no more.
    async fn next(&mut self) -> Result<Option<Located>, Failure> {
        let Some(response) = self.responses.next().await else { return Ok(None) };
        let result = read_event(&response)?;
        let position = self.course.as_ref().and_then(|course| course.next_position());
        Ok(Some(Located { position, result }))
    }
}

/// Sees to it that everyone is told when an execution breaks down.
struct EndWatch<'a> {
    inner: &'a Inner,
    key: &'a Key,
    group: &'a Arc<Group>,
}

impl Drop for EndWatch<'_> {
    fn drop(&mut self) {
        self.inner.end(self.key, self.group, &Ending::Failed(Fault::internal().into()));
    }
}

impl Inner {
    /// Where a client begins: after its cursor, or at the end of the log.
    pub(super) async fn find_begin(&self, query: &LiveQuery) -> Result<Begin, Fault> {
        let account = &query.session.actor.account;
        let after = query.sharing.after.as_deref().map(str::parse::<Cursor>).transpose();
        let after = after.map_err(|_| Fault::bad_input("after is not a cursor of the event log."))?;
        let (head, after) = self.live.find_begin(account, after).await?;
        Ok(Begin { head, after })
    }

    /// Runs a group until nobody was there for a while, or its query ends.
    pub(super) async fn run(self: Arc<Self>, key: Key, group: Arc<Group>) {
        let _counted = self.metrics.begin_group();
        let watch = EndWatch { inner: &self, key: &key, group: &group };
        let ending = tokio::select! {
            ending = self.follow_for(&group) => Some(ending),
            () = self.wait_for_desertion(&key, &group) => None,
        };
        std::mem::forget(watch);
        if let Some(ending) = ending {
            self.end(&key, &group, &ending);
        }
    }

    fn end(&self, key: &Key, group: &Arc<Group>, ending: &Ending) {
        // Whoever comes by now is told at once, and another group may have begun meanwhile.
        group.end(ending);
        let mut groups = self.groups();
        if groups.get(key).is_some_and(|held| Arc::ptr_eq(held, group)) {
            groups.remove(key);
        }
    }

    /// Comes back when nobody was there for a while, and the group is in the map no more.
    async fn wait_for_desertion(&self, key: &Key, group: &Arc<Group>) {
        loop {
            group.deserted.notified().await;
            let until = Instant::now() + LINGER;
            // Somebody may come, and go again.
            while timeout_at(until, group.deserted.notified()).await.is_ok() {}
            let mut groups = self.groups();
            if group.is_deserted() {
                groups.remove(key);
                return;
            }
        }
    }

    /// Executes the group's query and hands out the results, for as long as it goes on.
    async fn follow_for(self: &Arc<Self>, group: &Arc<Group>) -> Ending {
        let mut back_off = BackOff::new();
        let mut begin = group.head();
        loop {
            let mut execution = self.execute(&group.query, begin, None);
            let failed = loop {
                match execution.next().await {
                    Ok(Some(located)) => self.hand_out(group, located).await,
                    Ok(None) => return Ending::Complete,
                    Err(failed) => break failed,
                }
                back_off = BackOff::new();
            };
            if !failed.may_pass() {
                return Ending::Failed(failed);
            }
            // The event that could not be shown comes again, and none of those that nobody wanted.
            begin = group.cursor(group.head().position.max(execution.read_to()));
            sleep(back_off.next_delay()).await;
        }
    }

    /// Gives a result to everyone who is not behind.
    async fn hand_out(self: &Arc<Self>, group: &Arc<Group>, Located { position, result }: Located) {
        let now = self.clock.now();
        let (position, members) = group.add(position, result.clone());
        let mut taken = 0;
        for (count, member) in members.iter().enumerate() {
            if position <= member.position() {
                continue;
            }
            match hand_on(member, position, &result, now) {
                Ok(true) => taken += 1,
                Ok(false) => {
                    group.falls_behind(member);
                    tokio::spawn(Arc::clone(self).bring_back(Arc::clone(group), Arc::clone(member)));
                }
                Err(ending) => {
                    group.leave(member);
                    if let Some(ending) = ending {
                        member.end(&ending);
                    }
                }
            }
            if count % TURN == TURN - 1 {
                yield_now().await;
            }
        }
        self.metrics.count_results(taken);
    }

    async fn bring_back(self: Arc<Self>, group: Arc<Group>, member: Arc<Member>) {
        if let Err(Some(ending)) = self.catch_up(&group, &member).await {
            member.end(&ending);
        }
    }

    /// Brings a member that is behind to the others.
    ///
    /// # Errors
    /// How it ended before that; `None` where nobody is there to be told.
    pub(super) async fn catch_up(&self, group: &Group, member: &Arc<Member>) -> Result<(), Option<Ending>> {
        let mut back_off = BackOff::new();
        loop {
            member.sink.ready().await.map_err(|_| None)?;
            match group.next_for(member) {
                Next::Joined => return Ok(()),
                Next::Take(results) => {
                    for (position, result) in results {
                        if !hand_on(member, position, &result, self.clock.now())? {
                            break;
                        }
                    }
                }
                Next::Replay(until) if self.replay(group, member, until).await? => back_off = BackOff::new(),
                Next::Replay(_) => sleep(back_off.next_delay()).await,
                Next::End(ending) => return Err(Some(ending)),
                Next::Left => return Err(None),
            }
        }
    }

    /// Executes the query for one member, from where it is up to a place. Tells whether it got there; if not, it failed for now.
    async fn replay(&self, group: &Group, member: &Member, until: Position) -> Result<bool, Option<Ending>> {
        self.metrics.count_replay();
        let mut execution = self.execute(&group.query, group.cursor(member.position()), Some(until));
        loop {
            match execution.next().await {
                Ok(Some(Located { position, result })) => {
                    let position = position.unwrap_or_else(|| member.position());
                    while !hand_on(member, position, &result, self.clock.now())? {
                        member.sink.ready().await.map_err(|_| None)?;
                    }
                }
                Ok(None) => {
                    member.advance(until);
                    return Ok(true);
                }
                Err(failure) if failure.may_pass() => return Ok(false),
                Err(failure) => return Err(Some(Ending::Failed(failure))),
            }
        }
    }

    fn execute(&self, query: &LiveQuery, after: Cursor, until: Option<Position>) -> Execution {
        let course = query.sharing.resumable.then(|| Course::new(after, until));
        let data = course.clone().map(Course::into_data).unwrap_or_default();
        let session = query.session.shared();
        Execution { responses: self.gate.follow(query.admitted.clone(), &session, data), course }
    }
}

/// Hands a result on; `false` where there is no room.
fn hand_on(member: &Member, position: Position, result: &Bytes, now: DateTime<Utc>) -> Result<bool, Option<Ending>> {
    if !member.may_follow(now) {
        return Err(Some(Ending::Failed(Fault::unauthenticated().into())));
    }
    match member.sink.offer(result) {
        Offer::Taken => {
            member.advance(position);
            Ok(true)
        }
        Offer::Full => Ok(false),
        Offer::Gone => Err(None),
    }
}
