//! Who is connected for long: WebSockets and streams of server-sent events. They are counted, and ended when their caller's
//! rights end.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    auth::Authenticator,
    config::SocketsConfig,
    domain::{actor::Actor, id::AccountId},
};

/// How often it is looked whether callers may stay. Whoever may not is gone within five seconds.
const LOOK: Duration = Duration::from_secs(2);

/// Over how long connections are ended when the server stops.
const DRAIN_SPREAD: Duration = Duration::from_secs(5);

/// Which part of the places may be held by those who have not said who they are, and how many may in any case. Whoever has no token
/// cannot keep others out.
const STRANGERS_SHARE: usize = 4;
const FEW: usize = 16;

/// There are as many as there may be: what the client is told, short enough for a close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany(pub &'static str);

/// Everyone who is connected. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

struct Inner {
    limits: SocketsConfig,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Those that are there, also where nobody was authenticated yet.
    places: usize,
    sessions: HashMap<u64, (Arc<Actor>, CancellationToken)>,
    subjects: HashMap<(AccountId, String), usize>,
}

/// A place for one connection. Dropped, it is free again.
pub(super) struct Place {
    inner: Arc<Inner>,
    number: u64,
}

/// A caller who is connected. Dropped, they are not any more.
pub(super) struct OpenSession {
    inner: Arc<Inner>,
    id: u64,
    actor: Arc<Actor>,
    ended: CancellationToken,
}

impl Sessions {
    /// Nobody is connected.
    pub fn new(limits: SocketsConfig) -> Self {
        Self { inner: Arc::new(Inner { limits, state: Mutex::default() }) }
    }

    /// Takes a place on this server.
    pub(super) fn take_place(&self) -> Result<Place, TooMany> {
        let mut state = self.inner.state();
        let most = self.inner.limits.per_server;
        let strangers = state.places.saturating_sub(state.sessions.len());
        if state.places >= most || strangers >= (most / STRANGERS_SHARE).max(FEW) {
            return Err(TooMany("The server carries as many connections as it may; try again later"));
        }
        state.places += 1;
        state.next += 1;
        Ok(Place { inner: Arc::clone(&self.inner), number: state.next })
    }

    /// The caller of a connection was authenticated.
    pub(super) fn open(&self, actor: Arc<Actor>) -> Result<OpenSession, TooMany> {
        let mut state = self.inner.state();
        let held = state.subjects.entry(subject_of(&actor)).or_default();
        if *held >= self.inner.limits.per_subject {
            return Err(TooMany("Too many connections of this subject; close one, or try again later"));
        }
        *held += 1;
        state.next += 1;
        let id = state.next;
        let ended = CancellationToken::new();
        state.sessions.insert(id, (Arc::clone(&actor), ended.clone()));
        Ok(OpenSession { inner: Arc::clone(&self.inner), id, actor, ended })
    }

    /// Ends the sessions of callers who may not stay, until `shutdown`. Where the database cannot tell, everyone stays whose token
    /// is still good.
    pub async fn watch(self, authenticator: Arc<Authenticator>, shutdown: CancellationToken) {
        let look = async {
            loop {
                tokio::time::sleep(LOOK).await;
                self.look(&authenticator).await;
            }
        };
        shutdown.run_until_cancelled(look).await;
    }

    async fn look(&self, authenticator: &Authenticator) {
        let sessions: Vec<_> = self.inner.state().sessions.values().cloned().collect();
        let actors: Vec<_> = sessions.iter().map(|(actor, _)| actor.as_ref()).collect();
        let ended = authenticator.list_ended(&actors).await.unwrap_or_else(|error| {
            warn!(%error, "Could not check who may stay connected: {error}");
            let over = |place: &usize| actors.get(*place).is_some_and(|actor| !authenticator.is_current(actor));
            (0..actors.len()).filter(over).collect()
        });
        ended.into_iter().filter_map(|place| sessions.get(place)).for_each(|(_, ended)| ended.cancel());
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can leave the counts half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// How long the connection stays when the server stops. It differs from place to place, so that clients are sent away one after
    /// the other, and do not all come back at once.
    pub(super) fn stays_for(&self) -> Duration {
        // Multiples of the golden ratio, without their whole part, spread evenly however many there are (Knuth, volume 3, 6.4).
        let part = self.number.wrapping_mul(40_503) % 65_536;
        DRAIN_SPREAD * u32::try_from(part).unwrap_or_default() / 65_536
    }
}

impl OpenSession {
    /// Done when the caller may not stay.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.inner.state();
        state.places = state.places.saturating_sub(1);
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        let mut state = self.inner.state();
        state.sessions.remove(&self.id);
        let subject = subject_of(&self.actor);
        if let Some(held) = state.subjects.get_mut(&subject) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                state.subjects.remove(&subject);
            }
        }
    }
}

fn subject_of(actor: &Actor) -> (AccountId, String) {
    (actor.account.clone(), actor.subject.clone())
}
