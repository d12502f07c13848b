//! Readers that fall behind, and what the log may have lost by then.

use std::time::Duration;

use rollcall::{
    domain::{
        channel::ChannelKind,
        confirmation::{ConfirmationStatus, StatusChangeCause},
        event::{Event, StatusChange},
        id::EngineerId,
    },
    live::{Follow, FollowError, LiveOptions},
    store::Store,
};
use tokio::time::timeout;
use uuid::Uuid;

use super::{Bench, NO_POLL, assert_expired, edits, on_both_databases, read, read_refusal};

on_both_databases! {
    a_reader_that_stalls_reads_on_from_the_log
    a_reader_within_the_ring_does_not_ask_the_database
    what_lies_before_the_ring_is_held_by_the_log_alone
    a_reader_overtaken_by_pruning_is_told_so
    history_that_outlives_pruning_does_not_hide_the_gap
    a_reader_behind_finds_a_replaced_log_before_the_tail_does
    a_missing_entry_is_an_error_and_no_gap
    a_damaged_entry_ends_only_those_who_reach_it
}

async fn a_reader_that_stalls_reads_on_from_the_log(store: Store) {
    let bench = Bench::start(store, LiveOptions { poll: NO_POLL, ring: 8 }).await;
    let mut stalled = bench.follow(None).await.unwrap();
    let mut prompt = bench.follow(None).await.unwrap();
    let (mut log, mut seen) = (Vec::new(), Vec::new());
    for size in [1, 3, 8, 9, 300, 279] {
        log.extend(bench.change(size).await);
        seen.extend(read(&mut prompt, size).await);
    }
    assert_eq!(seen, log);
    assert_eq!(read(&mut stalled, 600).await, log);
    let more = bench.change(2).await;
    assert_eq!(read(&mut stalled, 2).await, more);
}

/// Lets one reader see the events, so that the ring has them, and returns with the entries out of reach.
async fn hide_the_log_after(bench: &Bench, count: usize) {
    let mut first = bench.follow(None).await.unwrap();
    bench.change(count).await;
    read(&mut first, count).await;
    bench.run_sql("ALTER TABLE event RENAME TO event_away").await;
}

async fn a_reader_within_the_ring_does_not_ask_the_database(store: Store) {
    let bench = Bench::start(store, LiveOptions { poll: NO_POLL, ring: 8 }).await;
    let _other = bench.follow(None).await.unwrap();
    hide_the_log_after(&bench, 8).await;
    read(&mut bench.follow_from(0).await, 8).await;
    read(&mut bench.follow_from(5).await, 3).await;
}

async fn what_lies_before_the_ring_is_held_by_the_log_alone(store: Store) {
    let bench = Bench::start(store, LiveOptions { poll: NO_POLL, ring: 8 }).await;
    let mut stalled = bench.follow(None).await.unwrap();
    hide_the_log_after(&bench, 9).await;
    // It neither has the events nor ends: it asks again until the log is back.
    assert!(timeout(Duration::from_millis(300), stalled.next()).await.is_err());
    bench.run_sql("ALTER TABLE event_away RENAME TO event").await;
    read(&mut stalled, 9).await;
}

async fn a_reader_overtaken_by_pruning_is_told_so(store: Store) {
    let bench = Bench::start(store, LiveOptions { poll: NO_POLL, ring: 0 }).await;
    let mut at_the_start = bench.follow(None).await.unwrap();
    let mut midway = bench.follow(None).await.unwrap();
    bench.change(300).await;
    read(&mut midway, 256).await;
    bench.prune(false).await;
    assert_expired(Err::<(), _>(read_refusal(&mut midway).await));
    // Entries that came after the pruning do not stand in for those that left.
    bench.change(3).await;
    assert_expired(Err::<(), _>(read_refusal(&mut midway).await));
    assert_expired(Err::<(), _>(read_refusal(&mut at_the_start).await));
}

async fn history_that_outlives_pruning_does_not_hide_the_gap(store: Store) {
    let bench = Bench::start(store, LiveOptions { poll: NO_POLL, ring: 0 }).await;
    let mut follow = bench.follow(None).await.unwrap();
    let status = Event::StatusChanged(StatusChange {
        engineer: EngineerId(Uuid::from_u128(1)),
        channel: ChannelKind::Sms,
        from: ConfirmationStatus::Pending,
        to: ConfirmationStatus::Confirmed,
        cause: StatusChangeCause::Code,
    });
    bench.commit([vec![status, status], edits(2), vec![status]].concat()).await;
    bench.prune(true).await;
    bench.wake();
    assert_expired(Err::<(), _>(read_refusal(&mut follow).await));
}

async fn a_reader_behind_finds_a_replaced_log_before_the_tail_does(store: Store) {
    let bench = Bench::start(store, LiveOptions { poll: NO_POLL, ring: 0 }).await;
    let mut behind = bench.follow(None).await.unwrap();
    let mut prompt = bench.follow(None).await.unwrap();
    bench.change(3).await;
    read(&mut prompt, 3).await;
    bench.replace_log().await;
    assert_expired(Err::<(), _>(read_refusal(&mut behind).await));
}

/// A reader at the log's beginning, for whom a damaged log of so many entries then appears all at once: the tail never saw it whole.
async fn follow_a_log_damaged_by(bench: &Bench, count: usize, damage: &str) -> Follow {
    bench.commit(edits(count)).await;
    bench.run_sql(damage).await;
    bench.run_sql("UPDATE account SET position = 0").await;
    let follow = bench.follow(None).await.unwrap();
    bench.run_sql(&format!("UPDATE account SET position = {count}")).await;
    bench.wake();
    follow
}

async fn a_missing_entry_is_an_error_and_no_gap(store: Store) {
    let bench = Bench::start_woken(store).await;
    let mut reached_by_the_tail = follow_a_log_damaged_by(&bench, 5, "DELETE FROM event WHERE position = 3").await;
    assert_expired(Err::<(), _>(read_refusal(&mut reached_by_the_tail).await));
    assert_expired(Err::<(), _>(read_refusal(&mut bench.follow_from(1).await).await));
    read(&mut bench.follow_from(3).await, 2).await;
}

async fn a_damaged_entry_ends_only_those_who_reach_it(store: Store) {
    let bench = Bench::start_woken(store).await;
    let damage = "UPDATE event SET kind = 'NONSENSE' WHERE position = 2";
    let mut before = follow_a_log_damaged_by(&bench, 3, damage).await;
    assert!(matches!(read_refusal(&mut before).await, FollowError::Store(_)));
    let mut beyond = bench.follow_from(2).await;
    read(&mut beyond, 1).await;
    let more = bench.change(2).await;
    assert_eq!(read(&mut beyond, 2).await, more);
}
