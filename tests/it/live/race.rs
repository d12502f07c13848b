//! Many writers and many readers at once.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use rollcall::{
    domain::event::{LoggedEvent, Position},
    live::{Live, LiveOptions},
    store::Store,
};
use tokio::{task::JoinSet, time::timeout};

use super::{Bench, NO_POLL, PATIENCE, cursor, on_both_databases, positions};

on_both_databases! { everyone_who_drops_and_resumes_sees_the_whole_log_in_order }

const WRITERS: usize = 8;
const CHANGES_PER_WRITER: usize = 125;
const READERS: u64 = 100;

/// Each change brings 1, 2 or 3 events.
const fn size_of_change(number: usize) -> usize {
    number % 3 + 1
}

/// Numbers that look random and are the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

async fn everyone_who_drops_and_resumes_sees_the_whole_log_in_order(store: Store) {
    // A ring of a few changes, so that whoever stays away a little longer reads the log.
    let bench = Arc::new(Bench::start(store, LiveOptions { poll: NO_POLL, ring: 64 }).await);
    let total: usize = (0..CHANGES_PER_WRITER).map(size_of_change).sum::<usize>() * WRITERS;
    let end = Position(i64::try_from(total).unwrap());
    let mut readers = JoinSet::new();
    for seed in 0..READERS {
        readers.spawn(read_in_pieces(bench.live.clone(), bench.account.clone(), end, Dice(seed)));
    }
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let bench = Arc::clone(&bench);
        writers.spawn(async move {
            let mut committed = Vec::new();
            for number in 0..CHANGES_PER_WRITER {
                committed.extend(bench.change(size_of_change(number)).await);
            }
            committed
        });
    }
    let mut log = writers.join_all().await.concat();
    log.sort_unstable_by_key(|event| event.position);
    assert_eq!(positions(&log), (1..=end.0).collect::<Vec<_>>());
    for seen in timeout(PATIENCE, readers.join_all()).await.expect("the readers reach the end") {
        assert_eq!(positions(&seen), positions(&log));
        assert_eq!(seen, log);
    }
}

/// A client that leaves again and again, sometimes while it waits, and comes back with the cursor of what it saw last.
async fn read_in_pieces(
    live: Live,
    account: rollcall::domain::id::AccountId,
    end: Position,
    mut dice: Dice,
) -> Vec<LoggedEvent> {
    let mut seen: Vec<LoggedEvent> = Vec::new();
    let mut last = cursor(0);
    while last.position < end {
        let mut events = Box::pin(live.follow(&account, Some(last)).await.unwrap().into_stream());
        let hurry = dice.roll(4) == 0;
        for _ in 0..=dice.roll(60) {
            let patience = if hurry { Duration::from_millis(dice.roll(10)) } else { PATIENCE };
            let Ok(event) = timeout(patience, events.next()).await else {
                assert!(hurry, "events come in time");
                break;
            };
            let event = event.expect("the stream does not end").unwrap();
            last.position = event.position;
            seen.push(event);
            if last.position == end {
                break;
            }
        }
    }
    seen
}
