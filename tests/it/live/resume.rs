//! Where a reader begins, and what it then sees.

use futures_util::{StreamExt, TryStreamExt};
use rollcall::{domain::event::Cursor, store::Store};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    Bench, EPOCH, NEXT_EPOCH, PATIENCE, assert_expired, cursor, noon, on_both_databases, positions, read, read_refusal,
};

on_both_databases! {
    a_reader_that_resumes_sees_every_event_once_and_in_order
    a_reader_without_a_cursor_begins_at_the_end_of_the_log_itself
    an_event_between_the_bounds_and_the_first_read_is_not_missed
    a_cursor_at_the_end_of_the_log_waits_for_what_comes
    a_cursor_of_another_log_is_expired
    a_cursor_ahead_of_the_log_is_expired
    a_cursor_before_what_was_pruned_is_expired
    a_log_replaced_beneath_its_readers_ends_them
    a_log_set_back_beneath_its_readers_ends_them
    a_reader_sees_nothing_of_another_account
    the_events_come_one_by_one_as_a_stream
    an_unknown_account_cannot_be_followed
}

async fn a_reader_that_resumes_sees_every_event_once_and_in_order(store: Store) {
    let bench = Bench::start_woken(store).await;
    let mut log = bench.change(10).await;
    let mut follow = bench.follow_from(3).await;
    let mut seen = read(&mut follow, 7).await;
    log.extend(bench.change(2).await);
    seen.extend(read(&mut follow, 2).await);
    let last = follow.cursor();
    drop(follow);
    log.extend(bench.change(3).await);
    let mut follow = bench.follow(Some(last)).await.unwrap();
    log.extend(bench.change(1).await);
    seen.extend(read(&mut follow, 4).await);
    assert_eq!(seen, log[3..]);
    assert_eq!(positions(&seen), (4..=16).collect::<Vec<_>>());
}

async fn a_reader_without_a_cursor_begins_at_the_end_of_the_log_itself(store: Store) {
    let bench = Bench::start_woken(store).await;
    let mut early = bench.follow(None).await.unwrap();
    // Nobody tells the tail: what it knows of the log is stale now.
    bench.commit(super::edits(5)).await;
    let mut late = bench.follow(None).await.unwrap();
    assert_eq!(late.cursor(), cursor(5));
    assert_eq!(bench.live.head_cursor(&bench.account).await.unwrap(), cursor(5));
    bench.change(2).await;
    assert_eq!(positions(&read(&mut late, 2).await), [6, 7]);
    assert_eq!(positions(&read(&mut early, 7).await), [1, 2, 3, 4, 5, 6, 7]);
}

async fn an_event_between_the_bounds_and_the_first_read_is_not_missed(store: Store) {
    let bench = Bench::start_woken(store).await;
    for round in 0..50 {
        // The only reader of the account, so that each round begins a new feed; the hint may come before it is there.
        let (mut follow, committed) = tokio::join!(bench.follow_from(round), bench.change(1));
        assert_eq!(read(&mut follow, 1).await, committed);
    }
}

async fn a_cursor_at_the_end_of_the_log_waits_for_what_comes(store: Store) {
    let bench = Bench::start_woken(store).await;
    bench.change(4).await;
    let mut follow = bench.follow_from(4).await;
    let (seen, committed) = tokio::join!(read(&mut follow, 3), bench.change(3));
    assert_eq!(seen, committed);
}

async fn a_cursor_of_another_log_is_expired(store: Store) {
    let bench = Bench::start_woken(store).await;
    bench.change(4).await;
    let other = Cursor { epoch: Uuid::from_u128(8), ..cursor(2) };
    assert_expired(bench.follow(Some(other)).await);
}

async fn a_cursor_ahead_of_the_log_is_expired(store: Store) {
    let bench = Bench::start_woken(store).await;
    bench.change(4).await;
    assert_expired(bench.follow(Some(cursor(5))).await);
}

async fn a_cursor_before_what_was_pruned_is_expired(store: Store) {
    let bench = Bench::start_woken(store).await;
    bench.change(4).await;
    bench.prune(false).await;
    let after = bench.change(2).await;
    assert_expired(bench.follow(Some(cursor(3))).await);
    assert_eq!(read(&mut bench.follow_from(4).await, 2).await, after);
}

async fn a_log_replaced_beneath_its_readers_ends_them(store: Store) {
    let bench = Bench::start_woken(store).await;
    bench.change(4).await;
    let mut follow = bench.follow_from(4).await;
    bench.replace_log().await;
    bench.change(1).await;
    assert_expired(Err::<(), _>(read_refusal(&mut follow).await));
    // Those who come with a cursor of the new log go on.
    let new = Cursor { epoch: NEXT_EPOCH, ..cursor(4) };
    let mut follow = bench.follow(Some(new)).await.unwrap();
    let events = timeout(PATIENCE, follow.next()).await.unwrap().unwrap();
    assert_eq!(positions(&events), [5]);
}

async fn a_log_set_back_beneath_its_readers_ends_them(store: Store) {
    let bench = Bench::start_woken(store).await;
    bench.change(4).await;
    let mut follow = bench.follow_from(4).await;
    bench.run_sql("DELETE FROM event WHERE position > 2").await;
    bench.run_sql("UPDATE account SET position = 2").await;
    bench.wake();
    assert_expired(Err::<(), _>(read_refusal(&mut follow).await));
}

async fn a_reader_sees_nothing_of_another_account(store: Store) {
    let bench = Bench::start_woken(store).await;
    let other = "other".parse().unwrap();
    bench.store.ensure_account(&other, EPOCH, noon()).await.unwrap();
    let mut ours = bench.follow(None).await.unwrap();
    let mut theirs = bench.live.follow(&other, None).await.unwrap();
    let mut tx = bench.store.begin(&other).await.unwrap();
    tx.log(super::edit(99), noon(), &bench.chance);
    let committed = tx.commit().await.unwrap().events;
    let changed = bench.change(1).await;
    assert_eq!(read(&mut ours, 1).await, changed);
    assert_eq!(read(&mut theirs, 1).await, committed);
}

async fn the_events_come_one_by_one_as_a_stream(store: Store) {
    let bench = Bench::start_woken(store).await;
    let log = bench.change(300).await;
    let events = bench.follow_from(0).await.into_stream().take(300).try_collect::<Vec<_>>();
    assert_eq!(timeout(PATIENCE, events).await.unwrap().unwrap(), log);
}

async fn an_unknown_account_cannot_be_followed(store: Store) {
    let bench = Bench::start_woken(store).await;
    assert!(bench.live.follow(&"nobody".parse().unwrap(), None).await.is_err());
}
