//! A live stream as server-sent events: a member of its group, like the operations of sockets, with an answer of its own.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use futures_util::stream;
use tokio::{
    sync::{
        SetOnce,
        mpsc::{self, error::TrySendError},
    },
    time::{Duration, Instant, interval_at, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::events::{COMMENT, COMPLETE, next};
use crate::{
    config::SocketsConfig,
    graphql::{ErrorCode, Fault},
    http::{
        HttpState,
        error::HttpError,
        groups::{Groups, LiveQuery, Membership},
        listener::Line,
        sessions::{OpenSession, Place, TooMany},
        sink::{Ending, Gone, Offer, Sink},
    },
};

/// How many events wait for a client that does not read.
const QUEUE: usize = 8;

/// How long a client has to take the end of its stream.
const CLOSING: Duration = Duration::from_secs(2);

/// Follows a live query, and gives the body that tells of it.
///
/// # Errors
/// When there are as many connections as there may be.
pub(super) fn follow(state: &HttpState, query: LiveQuery, line: Option<Line>) -> Result<Body, HttpError> {
    if state.drain.is_cancelled() {
        return Err(HttpError::busy("The server stops. Try again in a moment."));
    }
    let place = state.sessions.take_place().map_err(|TooMany(message)| HttpError::busy(message))?;
    let session = state.sessions.open(Arc::new(query.actor().clone())).map_err(|TooMany(message)| {
        HttpError::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited.name(), message)
    })?;
    let (parts, body) = mpsc::channel(QUEUE);
    let taken = Arc::new(AtomicU64::new(0));
    let sink = Arc::new(EventSink { parts, open: Mutex::new(true), ending: SetOnce::new() });
    let stream = LiveEvents {
        groups: state.groups.clone(),
        limits: state.sockets,
        drain: state.drain.clone(),
        taken: Arc::clone(&taken),
        sink,
        place,
        session,
        line,
    };
    state.tasks.spawn(stream.run(query));
    Ok(read_parts(body, taken))
}

/// A part of the body.
enum Part {
    Event(Bytes),
    End,
}

/// The parts as they come; `taken` counts them.
fn read_parts(parts: mpsc::Receiver<Part>, taken: Arc<AtomicU64>) -> Body {
    Body::from_stream(stream::unfold((parts, taken), |(mut parts, taken)| async {
        let part = parts.recv().await?;
        taken.fetch_add(1, Ordering::Relaxed);
        match part {
            Part::Event(event) => Some((Ok::<_, Infallible>(event), (parts, taken))),
            Part::End => None,
        }
    }))
}

/// Where the results go: into the body of the answer.
struct EventSink {
    parts: mpsc::Sender<Part>,
    /// Whether results are still taken. The lock orders them before the end.
    open: Mutex<bool>,
    /// How the group ended it.
    ending: SetOnce<Ending>,
}

impl EventSink {
    /// Takes no more results.
    fn close(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }
}

#[async_trait]
impl Sink for EventSink {
    fn offer(&self, result: &Bytes) -> Offer {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !*open {
            return Offer::Gone;
        }
        match self.parts.try_reserve() {
            Ok(room) => {
                room.send(Part::Event(next(result)));
                Offer::Taken
            }
            Err(TrySendError::Full(())) => Offer::Full,
            Err(TrySendError::Closed(())) => Offer::Gone,
        }
    }

    async fn ready(&self) -> Result<(), Gone> {
        self.parts.reserve().await.map(drop).map_err(|_| Gone)
    }

    fn end(&self, ending: &Ending) {
        // The first one holds.
        drop(self.ending.set(ending.clone()));
    }
}

/// One stream, as its task has it.
struct LiveEvents {
    groups: Groups,
    limits: SocketsConfig,
    drain: CancellationToken,
    /// How many parts the client's connection has taken.
    taken: Arc<AtomicU64>,
    sink: Arc<EventSink>,
    place: Place,
    session: OpenSession,
    line: Option<Line>,
}

/// Why a stream is over.
enum Over {
    /// The client is to be told.
    Ended(Ending),
    /// The server stops. Not told as an end: the client is to come back.
    Stopping,
    /// The client does not read.
    Stalled,
    /// There is nobody any more.
    Gone,
}

impl LiveEvents {
    async fn run(self, query: LiveQuery) {
        let over = self.wait(query).await;
        self.sink.close();
        let told = match over {
            Over::Ended(Ending::Complete) => self.tell([Part::Event(COMPLETE), Part::End]).await,
            Over::Ended(Ending::Failed(failure)) => {
                let errors = Part::Event(next(&failure.to_document()));
                self.tell([errors, Part::Event(COMPLETE), Part::End]).await
            }
            Over::Stopping => self.tell([Part::End]).await,
            Over::Stalled => false,
            Over::Gone => true,
        };
        if let (false, Some(line)) = (told, &self.line) {
            line.cut();
        }
    }

    /// Waits for what ends the stream. Its results come by themselves.
    async fn wait(&self, query: LiveQuery) -> Over {
        let sink: Arc<dyn Sink> = Arc::clone(&self.sink) as Arc<dyn Sink>;
        let mut follow = pin!(self.groups.follow(query, sink));
        let mut membership: Option<Membership> = None;
        let mut drained = pin!(async {
            self.drain.cancelled().await;
            sleep(self.place.stays_for()).await;
        });
        let every = self.limits.ping_every;
        let mut ticks = interval_at(Instant::now() + every, every);
        let mut stalled = None;
        loop {
            tokio::select! {
                followed = &mut follow, if membership.is_none() => match followed {
                    Ok(joined) => membership = Some(joined),
                    Err(Some(ending)) => return Over::Ended(ending),
                    Err(None) => return Over::Gone,
                },
                ending = self.sink.ending.wait() => return Over::Ended(ending.clone()),
                () = self.session.ended() => {
                    let ending = Ending::Failed(Fault::unauthenticated().into());
                    membership.iter().for_each(|membership| membership.note(&ending));
                    return Over::Ended(ending);
                }
                () = &mut drained => return Over::Stopping,
                () = self.sink.parts.closed() => return Over::Gone,
                _ = ticks.tick() => {
                    if self.is_stalled(&mut stalled) {
                        return Over::Stalled;
                    }
                }
            }
        }
    }

    /// Keeps the connection alive, and tells whether the client has taken nothing for too long of what waits for it.
    fn is_stalled(&self, since: &mut Option<(u64, Instant)>) -> bool {
        let (taken, now) = (self.taken.load(Ordering::Relaxed), Instant::now());
        let is_full = matches!(self.sink.parts.try_send(Part::Event(COMMENT)), Err(TrySendError::Full(_)));
        match *since {
            Some((then, at)) if is_full && then == taken => now >= at + self.limits.stall_timeout,
            Some(_) | None => {
                *since = is_full.then_some((taken, now));
                false
            }
        }
    }

    /// Whether the connection took the last parts.
    async fn tell<const N: usize>(&self, parts: [Part; N]) -> bool {
        let all = async {
            for part in parts {
                // Who has gone already need not be told.
                if self.sink.parts.send(part).await.is_err() {
                    return;
                }
            }
            self.sink.parts.closed().await;
        };
        timeout(CLOSING, all).await.is_ok()
    }
}
