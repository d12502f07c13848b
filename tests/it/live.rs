//! The event log read as streams: every body here runs on both databases.

mod behind;
mod outage;
mod race;
mod resume;
mod wakeup;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use migration::{Migrator, MigratorTrait};
use rollcall::{
    adapter::wakeup::in_process::InProcessWakeup,
    domain::{
        chance::Chance,
        event::{Cursor, EngineerChangeKind, Event, LoggedEvent, Position},
        id::{AccountId, EngineerId},
    },
    live::{BATCH, Follow, FollowError, Live, LiveOptions},
    port::wakeup::Wakeup,
    store::{ConnectOptions, SealerKeys, Store},
};
use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::harness::postgres;

/// Longer than any test: what is seen was not seen by polling.
const NO_POLL: Duration = Duration::from_secs(3600);

/// What is not there by then does not come.
const PATIENCE: Duration = Duration::from_secs(60);

const EPOCH: Uuid = Uuid::from_u128(7);

/// The epoch after [`Bench::replace_log`].
const NEXT_EPOCH: Uuid = Uuid::from_u128(9);

/// One body, two tests.
macro_rules! on_both_databases {
    ($($name:ident)*) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let (store, _folder) = crate::live::open_sqlite().await;
                super::$name(store).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(store) = crate::live::open_postgres().await {
                    super::$name(store).await;
                }
            }
        }
    )* };
}
use on_both_databases;

async fn open_sqlite() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rollcall.db");
    (open(format!("sqlite:{}", file.display())).await, folder)
}

async fn open_postgres() -> Option<Store> {
    let url = tokio::task::spawn_blocking(postgres::fresh_database).await.unwrap()?;
    Some(open(url).await)
}

async fn open(url: String) -> Store {
    let keys = SealerKeys { sealing: vec![("test".to_owned(), [1; 32])], index: [2; 32], reload: None };
    let options = ConnectOptions { url, max_connections: 8, keys, on_commit: Arc::new(|| {}) };
    let store = Store::connect(&options).await.unwrap();
    Migrator::up(store.migration_connection(), None).await.unwrap();
    store
}

/// An account with its log, and a tail that follows it.
struct Bench {
    store: Store,
    live: Live,
    account: AccountId,
    wakeup: Arc<InProcessWakeup>,
    chance: Counter,
    _tail: DropGuard,
}

impl Bench {
    async fn start(store: Store, options: LiveOptions) -> Self {
        let account: AccountId = "demo".parse().unwrap();
        store.ensure_account(&account, EPOCH, noon()).await.unwrap();
        let wakeup = Arc::new(InProcessWakeup::new());
        let live = Live::new(store.clone(), options);
        let shutdown = CancellationToken::new();
        tokio::spawn(live.clone().run(wakeup.subscribe(), shutdown.clone()));
        Self { store, live, account, wakeup, chance: Counter::default(), _tail: shutdown.drop_guard() }
    }

    /// A tail that only a hint moves, and a ring that holds everything.
    async fn start_woken(store: Store) -> Self {
        Self::start(store, LiveOptions::polling(NO_POLL)).await
    }

    /// Commits events in one transaction, and tells nobody.
    async fn commit(&self, events: Vec<Event>) -> Vec<LoggedEvent> {
        let mut tx = self.store.begin(&self.account).await.unwrap();
        for event in events {
            tx.log(event, noon(), &self.chance);
        }
        tx.commit().await.unwrap().events
    }

    /// Commits so many events in one transaction, and wakes the tail.
    async fn change(&self, count: usize) -> Vec<LoggedEvent> {
        let events = self.commit(edits(count)).await;
        self.wake();
        events
    }

    fn wake(&self) {
        self.wakeup.wake();
    }

    async fn follow(&self, after: Option<Cursor>) -> Result<Follow, FollowError> {
        self.live.follow(&self.account, after).await
    }

    async fn follow_from(&self, position: i64) -> Follow {
        self.follow(Some(cursor(position))).await.unwrap()
    }

    /// Prunes all that is there; with `history`, status changes stay.
    async fn prune(&self, history: bool) {
        let later = noon() + TimeDelta::seconds(1);
        let tx = self.store.begin(&self.account).await.unwrap();
        tx.rows().prune_events(later, if history { noon() } else { later }, 1_000).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Makes it another log, as restoring a backup does.
    async fn replace_log(&self) {
        let epoch = NEXT_EPOCH.simple();
        let epoch = if self.store.is_embedded() { format!("x'{epoch}'") } else { format!("'{epoch}'") };
        self.run_sql(&format!("UPDATE account SET epoch = {epoch}")).await;
    }

    async fn run_sql(&self, statement: &str) {
        self.store.migration_connection().execute_unprepared(statement).await.unwrap();
    }
}

/// Reads exactly so many events, in batches that are never larger than promised.
async fn read(follow: &mut Follow, count: usize) -> Vec<LoggedEvent> {
    let mut events = Vec::new();
    while events.len() < count {
        let batch = timeout(PATIENCE, follow.next()).await.expect("events come in time").unwrap();
        assert!((1..=BATCH).contains(&u64::try_from(batch.len()).unwrap()), "a batch of {}", batch.len());
        assert_eq!(follow.cursor(), cursor(batch.last().unwrap().position.0));
        events.extend(batch);
    }
    assert_eq!(events.len(), count);
    events
}

/// What `next` fails with.
async fn read_refusal(follow: &mut Follow) -> FollowError {
    timeout(PATIENCE, follow.next()).await.expect("the refusal comes in time").expect_err("it is refused")
}

fn assert_expired<T>(result: Result<T, FollowError>) {
    match result {
        Err(FollowError::CursorExpired(_)) => {}
        Err(FollowError::Store(error)) => panic!("not expired but {error}"),
        Ok(_) => panic!("not expired"),
    }
}

fn positions(events: &[LoggedEvent]) -> Vec<i64> {
    events.iter().map(|event| event.position.0).collect()
}

fn cursor(position: i64) -> Cursor {
    Cursor { epoch: EPOCH, position: Position(position) }
}

fn noon() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn edits(count: usize) -> Vec<Event> {
    (0..count).map(|n| edit(u128::try_from(n).unwrap())).collect()
}

fn edit(engineer: u128) -> Event {
    Event::EngineerChanged { engineer: EngineerId(Uuid::from_u128(engineer)), kind: EngineerChangeKind::Updated }
}

/// Bytes that never repeat.
#[derive(Default)]
struct Counter(AtomicU64);

impl Chance for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, next) in bytes.iter_mut().rev().zip(next.iter().rev()) {
            *byte = *next;
        }
    }
}
